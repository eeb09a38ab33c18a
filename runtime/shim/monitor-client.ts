import { getSystemErrorName } from 'node:util';
import { OrchError } from '../../model/errors.ts';
import { FrameConnection } from './frame-connection.ts';
import { frameTypes } from './frames.ts';

/** What a monitor says of its container. */
export type MonitorStatus = { readonly pid: number; readonly startedAtMs: number; readonly runNumber: string };

/** The connection to the monitor of one running container. It ends when the container's exit is on disk, or when the monitor died. */
export class MonitorClient implements Disposable {
  readonly #connection: FrameConnection;

  private constructor(connection: FrameConnection) { this.#connection = connection; }

  /** Undefined when no monitor listens at `path`: the container has exited, or never started. */
  static async connect(path: string): Promise<MonitorClient | undefined> {
    const connection = await FrameConnection.open(path, 'The container\'s monitor');
    return connection && new MonitorClient(connection);
  }

  /** Resolves when the monitor is gone. */
  get closed(): Promise<void> { return this.#connection.closed; }

  /** Waits until the container has started. Rejects with ConnectionLost when it could not, or has exited. */
  async status(): Promise<MonitorStatus> {
    const frame = await this.#connection.send(frameTypes.status).answer;
    return { pid: frame.number('pid', 0), startedAtMs: Number(frame.bigint('startedAtNs') / 1_000_000n), runNumber: frame.text('runNumber') };
  }

  /** Sends a signal to the container's first process. Rejects with ConnectionLost when it has exited. */
  async signal(number: number): Promise<void> {
    const frame = await this.#connection.send(frameTypes.signal, [['signal', number]]).answer;
    if (frame.type === frameTypes.ok) return;
    throw new OrchError('ORCH_RUNTIME', `Cannot send signal ${number}: ${getSystemErrorName(-frame.number('errno', 1))}`);
  }

  [Symbol.dispose](): void { this.#connection[Symbol.dispose](); }
}

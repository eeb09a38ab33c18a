import { OrchError, isErrorCode } from '../../model/errors.ts';
import { formatBytes } from '../../model/units.ts';
import type { CommandContext, OutputChunk } from '../command.ts';
import type { ApiRequest } from '../http-client.ts';
import { line } from '../output.ts';
import { jsonLines } from '../streams.ts';

/** One line of Docker's progress stream. */
type Progress = {
  readonly stream?: string; readonly status?: string; readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  /** orch's own, beside Docker's `error`; `errorDetail.code` is a number for Docker's clients. */
  readonly code?: string; readonly hint?: string;
};

/** Sends the request and prints its progress stream: on a terminal a line per layer that changes, elsewhere each new status once. Throws the error the stream ends with. */
export async function* printProgress(context: CommandContext, request: ApiRequest, options: { quiet: boolean }): AsyncIterable<OutputChunk> {
  const screen = new LayerScreen(context.terminal.stdoutIsTerminal);
  for await (const value of jsonLines(context.client.stream({ ...request, signal: context.signal }))) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API's progress lines; every field is optional
    const progress = value as Progress;
    if (progress.error !== undefined) throw streamError(progress);
    if (progress.stream !== undefined) yield line(progress.stream.trimEnd());
    else if (!options.quiet || progress.id === undefined) yield* screen.show(progress);
  }
}

function streamError(progress: Progress): OrchError {
  const { code, hint, error = 'failed' } = progress;
  return new OrchError(code !== undefined && isErrorCode(code) ? code : 'ORCH_INTERNAL', error, { hint });
}

class LayerScreen {
  readonly #isTerminal: boolean;
  readonly #rows = new Map<string, number>();
  readonly #last = new Map<string, string>();

  constructor(isTerminal: boolean) { this.#isTerminal = isTerminal; }

  *show(progress: Progress): Iterable<OutputChunk> {
    const { id, status = '', progressDetail } = progress;
    if (id === undefined) {
      yield line(status);
      return;
    }
    const amount = this.#isTerminal && progressDetail?.current !== undefined ? ` ${formatBytes(progressDetail.current)}${progressDetail.total ? `/${formatBytes(progressDetail.total)}` : ''}` : '';
    const text = `${id}: ${status}${amount}`;
    if (this.#last.get(id) === text) return;
    this.#last.set(id, text);
    yield* this.#isTerminal ? this.#redraw(id, text) : [line(text)];
  }

  *#redraw(id: string, text: string): Iterable<OutputChunk> {
    const row = this.#rows.get(id);
    if (row === undefined) {
      this.#rows.set(id, this.#rows.size);
      yield line(text);
      return;
    }
    const up = this.#rows.size - row;
    yield { to: 'stdout', bytes: `\u001B[${up}A\r\u001B[K${text}\u001B[${up}B\r` };
  }
}

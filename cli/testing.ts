import { FakeClock } from '../base/fake-clock.ts';
import { seededRandom } from '../base/random.ts';
import { OrchError } from '../model/errors.ts';
import type { CommandContext, CommandResult } from './command.ts';
import type { ApiClient, ApiRequest } from './http-client.ts';
import { demultiplex } from './streams.ts';

/** What a fake daemon answers: a value, an Error to throw, bytes for a stream, or a function of the request that makes one of these. */
export type FakeAnswer = unknown;

/** A client whose answers are a table of `METHOD /path` (without query); what is not in it is not found. Remembers every request. */
export class FakeApiClient implements ApiClient {
  readonly requests: ApiRequest[] = [];
  readonly #answers: Readonly<Record<string, FakeAnswer>>;

  constructor(answers: Readonly<Record<string, FakeAnswer>>) { this.#answers = answers; }

  json(request: ApiRequest): Promise<unknown> {
    return Promise.resolve().then(() => this.#answer(request));
  }

  async *stream(request: ApiRequest): AsyncIterable<Uint8Array> {
    const answer = await this.json(request);
    for (const chunk of Array.isArray(answer) ? answer : [answer]) yield chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
  }

  frames(request: ApiRequest): ReturnType<ApiClient['frames']> { return demultiplex(this.stream(request)); }

  /** `METHOD /path?query` of every request, in order. */
  get calls(): string[] { return this.requests.map((request) => `${request.method ?? 'GET'} ${request.path}`); }

  #answer(request: ApiRequest): unknown {
    this.requests.push(request);
    const key = `${request.method ?? 'GET'} ${request.path.split('?')[0] ?? ''}`;
    if (!Object.hasOwn(this.#answers, key)) throw new OrchError('ORCH_NOT_FOUND', `The fake daemon has no ${key}`);
    const entry = this.#answers[key];
    const answer: unknown = typeof entry === 'function' ? entry(request) : entry;
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

/** A context with a clock that stands still and no terminal. */
export function testContext(client: ApiClient, over: Partial<CommandContext> = {}): CommandContext {
  return {
    client, clock: new FakeClock(), random: seededRandom(1), signal: new AbortController().signal,
    terminal: { stdoutIsTerminal: false, stderrIsTerminal: false, columns: 80 },
    environmentVariable: () => undefined,
    async *stdin() { /* empty */ },
    ...over,
  };
}

/** One frame of Docker's multiplexed log stream; 1 is stdout, 2 stderr, 3 the daemon's own error. */
export function logFrame(stream: 1 | 2 | 3, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

export type Printed = { readonly stdout: string; readonly stderr: string; readonly error: Error | undefined };

/** Everything that a command prints, and the error it ends with. */
export async function printed(running: Promise<CommandResult>): Promise<Printed> {
  const out = { stdout: '', stderr: '' };
  try {
    const result = await running;
    if (typeof result === 'string') out.stdout = result;
    else if (result !== undefined) for await (const chunk of result) out[chunk.to] += Buffer.from(chunk.bytes).toString('utf8');
  } catch (error) {
    return { ...out, error: error instanceof Error ? error : new Error(String(error)) };
  }
  return { ...out, error: undefined };
}

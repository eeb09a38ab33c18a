import { errorMessage, isOrchError } from '../model/errors.ts';
import type { PullProgress } from '../model/image-pull.ts';
import type { ApiContext, Call } from './route.ts';
import { streamReply } from './stream-reply.ts';

/** Reports one line of progress. Lines with the same `key` that wait for a slow reader replace each other. */
export type Report = (line: object, key?: string) => void;

/** Runs `work` and streams what it reports as Docker's JSON lines. A failure before the first line is an error of its own; a later one becomes the last line. */
export async function streamProgress(context: ApiContext, call: Call, work: (report: Report) => Promise<void>): Promise<void> {
  const waiting = new Map<string, object>();
  let wake = (): void => {};
  let count = 0;
  let isDone = false;
  const done = work((line, key = `line ${count}`) => {
    count += 1;
    waiting.set(key, line);
    wake();
  });
  const finish = (): void => {
    isDone = true;
    wake();
  };
  done.then(finish, finish);
  const change = (): Promise<void> => new Promise((resolve) => { wake = resolve; });

  async function* chunks(): AsyncGenerator<string, void, undefined> {
    while (true) {
      const lines = [...waiting.values()];
      waiting.clear();
      if (lines.length > 0) yield lines.map(formatLine).join('');
      else if (isDone) break;
      else await change();
    }
    await done;
  }

  if (waiting.size === 0 && !isDone) await change();
  if (waiting.size === 0) await done;
  await streamReply(context, call, { contentType: 'application/json', chunks: chunks(), failure: (error) => formatLine(errorLine(error)) });
}

const formatLine = (line: object): string => `${JSON.stringify(line)}\r\n`;

/** Docker's last line of a failure, with orch's code and hint beside it. */
function errorLine(error: unknown): object {
  const message = errorMessage(error);
  return { errorDetail: { message }, error: message, ...(isOrchError(error) ? { code: error.code, hint: error.hint } : { code: 'ORCH_INTERNAL' }) };
}

/** One step of a pull or load as Docker's line, and the key under which a later step replaces it. */
export function progressLine({ layer, status, currentBytes, totalBytes }: PullProgress): { readonly line: object; readonly key: string } {
  const detail = { ...(currentBytes === undefined ? {} : { current: currentBytes }), ...(totalBytes === undefined ? {} : { total: totalBytes }) };
  return { line: { status, progressDetail: detail, ...(layer === '' ? {} : { id: layer }) }, key: `${layer}\0${status}` };
}

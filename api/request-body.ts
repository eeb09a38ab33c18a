import type { IncomingMessage } from 'node:http';
import { OrchError, errorMessage } from '../model/errors.ts';

/** More than any spec needs; a body that is larger is refused before it is kept. */
const MAX_JSON_BYTES = 8 * 1024 ** 2;

/** The JSON body of a request; undefined when it is empty. Throws ORCH_INVALID when it is no JSON, too large, or says to be something else (as Docker, so that no web page can post one). */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MAX_JSON_BYTES) throw new OrchError('ORCH_INVALID', `The body of the request is larger than ${MAX_JSON_BYTES} bytes`);
    chunks.push(bytes);
  }
  if (length === 0) return undefined;
  const contentType = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(contentType)) throw new OrchError('ORCH_INVALID', `unsupported Content-Type header (${contentType}): must be 'application/json'`);
  return parseBody(Buffer.concat(chunks).toString('utf8'));
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OrchError('ORCH_INVALID', `The body of the request is not JSON: ${errorMessage(error)}`, { cause: error });
  }
}

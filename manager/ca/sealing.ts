import { createCipheriv, createDecipheriv } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../../base/files.ts';
import type { Random } from '../../base/random.ts';
import { OrchError } from '../../model/errors.ts';

const ALGORITHM = 'aes-256-gcm';
const DATA_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FILE_NAME = 'data.key';

/** Encrypts `text` with the managers' data key, bound to `purpose`: it opens for the same purpose only. Base64 of nonce, tag, ciphertext. */
export function seal(text: string, options: { dataKey: Uint8Array; purpose: string; random: Random }): string {
  const nonce = options.random.bytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, options.dataKey, nonce).setAAD(Buffer.from(options.purpose));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64');
}

/** The text that was sealed. Throws ORCH_CORRUPT for another key, another purpose or changed bytes. */
export function unseal(sealed: string, options: { dataKey: Uint8Array; purpose: string }): string {
  const bytes = Buffer.from(sealed, 'base64');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv(ALGORITHM, options.dataKey, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(options.purpose)).setAuthTag(tag);
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new OrchError('ORCH_CORRUPT', `The sealed ${options.purpose} does not open with this manager's data key`, { cause, hint: 'The data key and the store must be of the same cluster' });
  }
}

/** Makes a data key and writes it to `pkiDir`, readable by its owner only; an existing one is replaced. */
export async function createDataKey(pkiDir: string, random: Random): Promise<Uint8Array> {
  const dataKey = random.bytes(DATA_KEY_BYTES);
  await mkdir(pkiDir, { recursive: true, mode: 0o700 });
  await chmod(pkiDir, 0o700);
  await writeFileAtomic(join(pkiDir, FILE_NAME), `${Buffer.from(dataKey).toString('base64')}\n`, 0o600);
  return dataKey;
}

/** The data key in `pkiDir`; undefined when there is none. Throws ORCH_CORRUPT when the file holds something else. */
export async function loadDataKey(pkiDir: string): Promise<Uint8Array | undefined> {
  const path = join(pkiDir, FILE_NAME);
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  const dataKey = Buffer.from(text, 'base64');
  if (dataKey.length !== DATA_KEY_BYTES) throw new OrchError('ORCH_CORRUPT', `${path} holds no data key`, { details: { path } });
  return dataKey;
}

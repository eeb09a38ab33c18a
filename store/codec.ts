import { OrchError } from '../model/errors.ts';
import { isKind, kinds } from './kinds.ts';
import type { Kind, Kinds } from './store.ts';

type Json = Readonly<Record<string, unknown>>;

/** Turns an object of one schema version into the next. */
export type Upgrade = (object: Json) => Json;

/** How a kind is written: `upgrades[n]` turns version n + 1 into n + 2, so the current version is one more than there are upgrades. */
export type Codec = { readonly upgrades: readonly Upgrade[] };

/** One codec per kind. A change of a kind's stored shape adds an upgrade here and a sample of the old shape to the tests. */
const codecs: { readonly [K in Kind]: Codec } = {
  cluster: { upgrades: [] },
  node: { upgrades: [] },
  blockedNode: { upgrades: [] },
  service: { upgrades: [] },
  revision: { upgrades: [] },
  task: { upgrades: [] },
  network: { upgrades: [] },
};

/** The stored text of an object: `{"kind":"task","v":1,"object":{...}}`. */
export function encodeObject<K extends Kind>(kind: K, object: Kinds[K]): string {
  return `{"kind":"${kind}","v":${codecs[kind].upgrades.length + 1},"object":${JSON.stringify(object)}}`;
}

/** Reads what `encodeObject` of this or an earlier version wrote. Throws ORCH_CORRUPT for text that is not an object of `kind`, ORCH_UNSUPPORTED for a newer schema version. */
export function decodeObject<K extends Kind>(kind: K, text: string): Kinds[K] {
  const upgraded = upgradeObject(kind, codecs[kind], parseStored(kind, text));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only encodeObject writes these keys; the kind and schema version are checked above
  return upgraded as Kinds[Kind] as Kinds[K];
}

/** The kind that a key names. Throws ORCH_UNSUPPORTED when this program does not know it. */
export function checkKind(kind: string): Kind {
  if (isKind(kind)) return kind;
  throw new OrchError('ORCH_UNSUPPORTED', `The store holds objects of unknown kind "${kind}"`, { hint: 'They were written by a newer orch: upgrade this manager' });
}

/** Brings a stored object to the current schema version of `codec`. */
export function upgradeObject(kind: Kind, codec: Codec, stored: { v: number; object: Json }): Json {
  const current = codec.upgrades.length + 1;
  if (stored.v > current) {
    throw new OrchError('ORCH_UNSUPPORTED', `${kinds[kind].label} is stored in schema version ${stored.v}, this program knows up to ${current}`, {
      hint: 'It was written by a newer orch: upgrade this manager', details: { kind, version: stored.v },
    });
  }
  return codec.upgrades.slice(stored.v - 1).reduce((object, upgrade) => upgrade(object), stored.object);
}

function parseStored(kind: Kind, text: string): { v: number; object: Json } {
  const parsed = parseJson(kind, text);
  if (!isJson(parsed)) throw corrupt(kind, 'it is no JSON object');
  const { kind: storedKind, v, object } = parsed;
  if (storedKind !== kind) throw corrupt(kind, `its kind is ${JSON.stringify(storedKind)}`);
  if (typeof v !== 'number' || !Number.isInteger(v) || v < 1) throw corrupt(kind, `its schema version is ${JSON.stringify(v)}`);
  if (!isJson(object) || typeof object['id'] !== 'string' || typeof object['version'] !== 'number') throw corrupt(kind, 'it has no id or version');
  return { v, object };
}

function parseJson(kind: Kind, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw corrupt(kind, 'it is no JSON', error);
  }
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const corrupt = (kind: Kind, why: string, cause?: unknown): OrchError =>
  new OrchError('ORCH_CORRUPT', `${kinds[kind].label} in the store cannot be read: ${why}`, { cause, details: { kind } });

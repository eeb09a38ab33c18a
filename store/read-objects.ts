import { isOrchError } from '../model/errors.ts';
import type { CommitChanges, Entry, KeyChange, StoreBackend } from './backend.ts';
import { OBJECT_PREFIX } from './keys.ts';
import { Mirror } from './mirror.ts';

const PAGE_ENTRIES = 5000;

type Page = { readonly revision: number; readonly entries: readonly Entry[] };

/** A mirror of everything in the backend, as of one revision. */
export function loadMirror(backend: StoreBackend): Promise<Mirror> {
  return repeatWhenCompacted(async () => {
    const mirror = new Mirror({ epoch: backend.epoch, revision: 0 });
    for await (const { revision, entries } of readPages(backend)) mirror.load(revision, entries);
    return mirror;
  });
}

/** The changes that bring `mirror` to the backend's current state, for when the history between them is gone. */
export function readDifference(backend: StoreBackend, mirror: Mirror): Promise<CommitChanges> {
  return repeatWhenCompacted(async () => {
    const gone = new Map<string, number | undefined>();
    for (const { key, modRevision } of mirror.modRevisions()) gone.set(key, modRevision);
    const changes: KeyChange[] = [];
    let revisionRead = 0;
    for await (const { revision, entries } of readPages(backend)) {
      revisionRead = revision;
      for (const entry of entries) {
        if (gone.get(entry.key) !== entry.modRevision) changes.push(changeOf(entry));
        gone.delete(entry.key);
      }
    }
    for (const key of gone.keys()) changes.push({ key, value: undefined, revision: revisionRead });
    return { revision: revisionRead, changes };
  });
}

/** Pages are read at one revision, which somebody may compact between two of them: then everything is read again at a later one. */
async function repeatWhenCompacted<T>(read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isOrchError(error, 'ORCH_CONFLICT')) throw error;
    }
  }
}

const changeOf = ({ key, value, modRevision }: Entry): KeyChange => ({ key, value, revision: modRevision });

/** All objects at one revision; the next page is being read while the consumer works on this one. */
async function* readPages(backend: StoreBackend): AsyncGenerator<Page> {
  let page: Page | undefined = await backend.range(OBJECT_PREFIX, { limit: PAGE_ENTRIES });
  while (page) {
    const next: Promise<Page> | undefined = readNextPage(backend, page);
    try {
      yield page;
    } finally {
      page = await next;
    }
  }
}

function readNextPage(backend: StoreBackend, { revision, entries }: Page): Promise<Page> | undefined {
  const last = entries.at(-1);
  if (!last || entries.length < PAGE_ENTRIES) return undefined;
  return backend.range(OBJECT_PREFIX, { limit: PAGE_ENTRIES, afterKey: last.key, atRevision: revision });
}

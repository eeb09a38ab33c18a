import { OrchError, type ErrorDetails, errorMessage, isErrorCode, isOrchError } from '../model/errors.ts';
import type { CommitChanges, Condition, Entry, KeyChange, Operation } from './backend.ts';
import type { Campaign, CommitOutcome, CommitRequest, Resignation } from './sqlite-engine.ts';
import type { RangeQuery, ReplayQuery } from './sqlite-reader.ts';

/** Lists cross the thread boundary as one flat array, which is several times cheaper to copy than the objects it stands for. */
export type Flat = (string | number | null)[];

/** What the main thread asks. `nowMs` is its monotonic clock. */
export type WorkerRequest = { readonly id: number; readonly nowMs: number; readonly call: WorkerCall };
export type CommitCall = { readonly type: 'commit'; readonly commits: Flat };
export type WorkerCall =
  | CommitCall
  | { readonly type: 'range'; readonly query: RangeQuery }
  | { readonly type: 'replay'; readonly query: ReplayQuery }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'campaign'; readonly campaign: Campaign }
  | { readonly type: 'resign'; readonly resignation: Resignation }
  | { readonly type: 'close' };

/** The worker's answer. `own` are commits that the worker made itself (leadership keys): they come before anything else in the answer. */
export type WorkerReply = { readonly id: number; readonly own: readonly CommitChanges[]; readonly answer: WorkerAnswer };
export type WorkerAnswer =
  | { readonly type: 'outcomes'; readonly outcomes: readonly number[]; readonly errors: readonly PackedError[] }
  | { readonly type: 'entries'; readonly revision: number; readonly entries: Flat }
  | { readonly type: 'commits'; readonly commits: Flat }
  | { readonly type: 'held'; readonly held: boolean }
  | { readonly type: 'opened'; readonly epoch: number; readonly revision: number }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: PackedError };

/** An error as it crosses the thread boundary, which would make a plain Error of it. */
export type PackedError = { readonly code: string; readonly message: string; readonly hint: string | undefined; readonly details: ErrorDetails };

export const packError = (error: unknown): PackedError => isOrchError(error)
  ? { code: error.code, message: error.message, hint: error.hint, details: error.details }
  : { code: 'ORCH_INTERNAL', message: errorMessage(error), hint: undefined, details: {} };

export const unpackError = ({ code, message, hint, details }: PackedError): OrchError =>
  new OrchError(isErrorCode(code) ? code : 'ORCH_INTERNAL', message, { hint, details });

const conditionTypes = ['absent', 'unchanged', 'equals'] as const;

export function packCommits(commits: readonly CommitRequest[]): Flat {
  const flat: Flat = [];
  for (const { operations, conditions } of commits) {
    flat.push(operations.length, conditions.length);
    for (const { key, value } of operations) flat.push(key, value ?? null);
    for (const condition of conditions) flat.push(conditionTypes.indexOf(condition.type), condition.key, conditionArgument(condition));
  }
  return flat;
}

export function unpackCommits(flat: Flat): CommitRequest[] {
  const reader = new FlatReader(flat);
  const commits: CommitRequest[] = [];
  while (reader.hasMore) {
    const operationCount = reader.number();
    const conditionCount = reader.number();
    const operations: Operation[] = [];
    const conditions: Condition[] = [];
    while (operations.length < operationCount) operations.push({ key: reader.text(), value: reader.textOrNull() ?? undefined });
    while (conditions.length < conditionCount) conditions.push(readCondition(reader));
    commits.push({ operations, conditions });
  }
  return commits;
}

function conditionArgument(condition: Condition): string | number | null {
  switch (condition.type) {
    case 'absent': return null;
    case 'unchanged': return condition.modRevision;
    case 'equals': return condition.value;
  }
}

function readCondition(reader: FlatReader): Condition {
  const type = conditionTypes[reader.number()];
  const key = reader.text();
  if (type === 'unchanged') return { type, key, modRevision: reader.number() };
  if (type === 'equals') return { type, key, value: reader.text() };
  reader.textOrNull();
  return { type: 'absent', key };
}

/** Outcomes as numbers: 0 revision | 1 position of the refused condition | 2 position in `errors` | 3 revision, count, positions of operations that changed nothing. */
export function packOutcomes(outcomes: readonly CommitOutcome[]): { outcomes: number[]; errors: PackedError[] } {
  const numbers: number[] = [];
  const errors: PackedError[] = [];
  for (const outcome of outcomes) {
    switch (outcome.type) {
      case 'committed':
        if (outcome.idle.length === 0) numbers.push(0, outcome.revision);
        else numbers.push(3, outcome.revision, outcome.idle.length, ...outcome.idle);
        break;
      case 'refused': numbers.push(1, outcome.condition); break;
      case 'failed': numbers.push(2, errors.push(packError(outcome.error)) - 1); break;
    }
  }
  return { outcomes: numbers, errors };
}

export function unpackOutcomes({ outcomes, errors }: { readonly outcomes: readonly number[]; readonly errors: readonly PackedError[] }): CommitOutcome[] {
  const reader = new FlatReader(outcomes);
  const unpacked: CommitOutcome[] = [];
  while (reader.hasMore) {
    const type = reader.number();
    const value = reader.number();
    if (type === 0) unpacked.push({ type: 'committed', revision: value, idle: [] });
    else if (type === 1) unpacked.push({ type: 'refused', condition: value });
    else if (type === 3) unpacked.push({ type: 'committed', revision: value, idle: Array.from({ length: reader.number() }, () => reader.number()) });
    else unpacked.push({ type: 'failed', error: unpackError(errors[value] ?? packError(new Error('no reason given'))) });
  }
  return unpacked;
}

export function packEntries(entries: readonly Entry[]): Flat {
  const flat: Flat = [];
  for (const { key, value, modRevision } of entries) flat.push(key, value, modRevision);
  return flat;
}

export function unpackEntries(flat: Flat): Entry[] {
  const reader = new FlatReader(flat);
  const entries: Entry[] = [];
  while (reader.hasMore) entries.push({ key: reader.text(), value: reader.text(), modRevision: reader.number() });
  return entries;
}

export function packChanges(commits: readonly CommitChanges[]): Flat {
  const flat: Flat = [];
  for (const { revision, changes } of commits) {
    flat.push(revision, changes.length);
    for (const { key, value } of changes) flat.push(key, value ?? null);
  }
  return flat;
}

export function unpackChanges(flat: Flat): CommitChanges[] {
  const reader = new FlatReader(flat);
  const commits: CommitChanges[] = [];
  while (reader.hasMore) {
    const revision = reader.number();
    const changes: KeyChange[] = Array.from({ length: reader.number() }, () => ({ key: reader.text(), value: reader.textOrNull() ?? undefined, revision }));
    commits.push({ revision, changes });
  }
  return commits;
}

class FlatReader {
  readonly #flat: readonly (string | number | null)[];
  #position = 0;

  constructor(flat: readonly (string | number | null)[]) { this.#flat = flat; }

  get hasMore(): boolean { return this.#position < this.#flat.length; }

  number(): number {
    const value = this.#next();
    if (typeof value !== 'number') throw new Error(`expected a number, not ${typeof value}`);
    return value;
  }

  text(): string {
    const value = this.#next();
    if (typeof value !== 'string') throw new Error(`expected a text, not ${typeof value}`);
    return value;
  }

  textOrNull(): string | null {
    const value = this.#next();
    if (typeof value === 'number' || value === undefined) throw new Error(`expected a text or null, not ${typeof value}`);
    return value;
  }

  #next(): string | number | null | undefined {
    const value = this.#flat[this.#position];
    this.#position += 1;
    return value;
  }
}

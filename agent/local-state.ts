import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Log } from '../base/log.ts';
import type { AssignedTask, Assignments } from '../model/assignment.ts';
import { errorMessage, isOrchError, OrchError } from '../model/errors.ts';
import type { RevisionId, TaskId } from '../model/meta.ts';
import type { Revision } from '../model/service.ts';
import { isEnded, laterDesired, type TaskStatus } from '../model/task.ts';

/** A task as this node knows it. */
export type LocalTask = {
  readonly assigned: AssignedTask;
  /** Deleted by the manager; kept until nothing of it is left on the node. */
  readonly removed: boolean;
  /** What this node has observed; never behind what it has reported. */
  readonly status: TaskStatus;
};

type Meta = { epoch: string; sequence: number; bridgeSubnet: string };

const SCHEMA_VERSION = 1;
const SCHEMA = `
  BEGIN;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE task (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE revision (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version=${SCHEMA_VERSION};
  COMMIT;
`;

/**
 * What the agent must know after a restart, also when no manager answers: assignments, revisions, observed states. All of it is in memory; changes
 * reach the file in one transaction per turn of the event loop, assignments before anybody acts on them.
 * synchronous=NORMAL: a killed process loses nothing. A power cut may lose the last moments, but it ends every container too, and the
 * manager's next snapshot tells which tasks it has already heard the end of.
 */
export class LocalState implements Disposable {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #put: Readonly<Record<'meta' | 'task' | 'revision', StatementSync>>;
  readonly #delete: Readonly<Record<'task' | 'revision', StatementSync>>;
  readonly #tasks = new Map<TaskId, LocalTask>();
  readonly #revisions = new Map<RevisionId, Revision>();
  readonly #meta: Meta = { epoch: '', sequence: 0, bridgeSubnet: '' };
  /** Rows that differ from the file: value undefined when the row is to go. */
  readonly #dirtyTasks = new Set<TaskId>();
  readonly #dirtyRevisions = new Set<RevisionId>();
  #metaDirty = false;
  #scheduled: NodeJS.Immediate | undefined;

  /** Opens or makes `<dataDir>/agent.db`. Throws ORCH_CORRUPT when the file can't be read, ORCH_UNSUPPORTED when a newer orch wrote it. */
  constructor(dataDir: string, log: Log) {
    this.#log = log;
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, 'agent.db');
    try {
      this.#database = openDatabase(path);
      const put = (table: string, key: string, value: string): StatementSync => this.#database.prepare(`INSERT INTO ${table} (${key}, ${value}) VALUES (?, ?) ON CONFLICT (${key}) DO UPDATE SET ${value} = excluded.${value}`);
      this.#put = { meta: put('meta', 'key', 'value'), task: put('task', 'id', 'json'), revision: put('revision', 'id', 'json') };
      this.#delete = { task: this.#database.prepare('DELETE FROM task WHERE id = ?'), revision: this.#database.prepare('DELETE FROM revision WHERE id = ?') };
      this.#load();
    } catch (cause) {
      if (isOrchError(cause)) throw cause;
      throw new OrchError('ORCH_CORRUPT', `${path} can't be used: ${errorMessage(cause)}`, { cause, details: { path }, hint: 'Move the file away: the node learns its tasks again from a manager and finds their containers' });
    }
  }

  get epoch(): string { return this.#meta.epoch; }
  get sequence(): number { return this.#meta.sequence; }
  get bridgeSubnet(): string { return this.#meta.bridgeSubnet; }
  tasks(): IterableIterator<[TaskId, LocalTask]> { return this.#tasks.entries(); }
  task(id: TaskId): LocalTask | undefined { return this.#tasks.get(id); }
  revision(id: RevisionId): Revision | undefined { return this.#revisions.get(id); }

  /** Takes what a manager says; durable when it returns. Returns the tasks it concerns. Throws ORCH_CONFLICT when a diff does not fit what is held: nothing changes. */
  applyAssignments(assignments: Assignments): TaskId[] {
    if (!assignments.snapshot && (assignments.epoch !== this.#meta.epoch || assignments.baseSequence !== this.#meta.sequence)) {
      throw new OrchError('ORCH_CONFLICT', `Assignments ${assignments.baseSequence} of ${assignments.epoch} do not follow ${this.#meta.sequence} of ${this.#meta.epoch || 'nothing'}`);
    }
    const touched = new Set<TaskId>(assignments.removedTaskIds);
    const named = new Set(assignments.tasks.map((task) => task.id));
    if (assignments.snapshot) for (const id of this.#tasks.keys()) if (!named.has(id)) touched.add(id);
    for (const id of touched) this.#markRemoved(id);
    for (const task of assignments.tasks) {
      this.#assign(task);
      touched.add(task.id);
    }
    this.#applyRevisions(assignments);
    Object.assign(this.#meta, { epoch: assignments.epoch, sequence: assignments.sequence });
    this.#metaDirty = true;
    this.flush();
    return [...touched];
  }

  /** The next session begins with a snapshot whatever the manager thinks. */
  forgetSequence(): void {
    Object.assign(this.#meta, { epoch: '', sequence: 0 });
    this.#touchMeta();
  }

  setBridgeSubnet(subnet: string): void {
    this.#meta.bridgeSubnet = subnet;
    this.#touchMeta();
  }

  setStatus(id: TaskId, status: TaskStatus): void {
    const task = this.#tasks.get(id);
    if (task) this.#setTask(id, { ...task, status });
    this.#schedule();
  }

  /** Drops a removed task of which nothing is left. */
  forget(id: TaskId): void {
    this.#tasks.delete(id);
    this.#dirtyTasks.add(id);
    this.#schedule();
  }

  /** Writes all changes in one transaction; when it throws they are kept for the next call. */
  flush(): void {
    if (!this.#metaDirty && this.#dirtyTasks.size === 0 && this.#dirtyRevisions.size === 0) return;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const id of this.#dirtyTasks) this.#write('task', id, this.#tasks.get(id));
      for (const id of this.#dirtyRevisions) this.#write('revision', id, this.#revisions.get(id));
      if (this.#metaDirty) for (const [key, value] of Object.entries(this.#meta)) this.#put.meta.run(key, String(value));
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#dirtyTasks.clear();
    this.#dirtyRevisions.clear();
    this.#metaDirty = false;
  }

  [Symbol.dispose](): void {
    if (!this.#database.isOpen) return;
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.flush();
    this.#database.close();
  }

  #assign(assigned: AssignedTask): void {
    const known = this.#tasks.get(assigned.id);
    if (!known) return this.#setTask(assigned.id, { assigned, removed: false, status: assigned.status });
    const desired = laterDesired(known.assigned.desired, assigned.desired);
    const status = isEnded(assigned.status.state) && !isEnded(known.status.state) ? assigned.status : known.status;
    this.#setTask(assigned.id, { assigned: { ...assigned, desired }, removed: false, status });
  }

  #markRemoved(id: TaskId): void {
    const task = this.#tasks.get(id);
    if (task) this.#setTask(id, { ...task, removed: true });
  }

  #applyRevisions({ snapshot, revisions, removedRevisionIds }: Assignments): void {
    const named = new Set(revisions.map((revision) => revision.id));
    const gone = snapshot ? [...this.#revisions.keys()].filter((id) => !named.has(id)) : removedRevisionIds;
    for (const id of gone) this.#revisions.delete(id);
    for (const revision of revisions) this.#revisions.set(revision.id, revision);
    for (const id of [...gone, ...named]) this.#dirtyRevisions.add(id);
  }

  #setTask(id: TaskId, task: LocalTask): void {
    this.#tasks.set(id, task);
    this.#dirtyTasks.add(id);
  }

  #touchMeta(): void {
    this.#metaDirty = true;
    this.#schedule();
  }

  /** A failed write here is tried again with the next one, and always before anything is reported. */
  #schedule(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      try {
        this.flush();
      } catch (error) {
        this.#log.error({ error: errorMessage(error) }, 'the agent\'s state could not be written');
      }
    });
  }

  #write(table: 'task' | 'revision', id: string, value: LocalTask | Revision | undefined): void {
    if (value === undefined) this.#delete[table].run(id);
    else this.#put[table].run(id, JSON.stringify(value));
  }

  #load(): void {
    for (const [key, value] of this.#rows('SELECT key, value FROM meta')) {
      if (key === 'sequence') this.#meta.sequence = Number(value);
      else if (key === 'epoch' || key === 'bridgeSubnet') this.#meta[key] = value;
    }
    /* oxlint-disable typescript/no-unsafe-type-assertion -- rows are written by this class alone */
    for (const [id, json] of this.#rows('SELECT id, json FROM task')) this.#tasks.set(id, JSON.parse(json) as LocalTask);
    for (const [id, json] of this.#rows('SELECT id, json FROM revision')) this.#revisions.set(id, JSON.parse(json) as Revision);
    /* oxlint-enable typescript/no-unsafe-type-assertion */
  }

  #rows(query: string): [string, string][] {
    return this.#database.prepare(query).all().map((row) => {
      const [key, value] = Object.values(row);
      return [String(key), String(value)];
    });
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA synchronous=NORMAL; PRAGMA journal_mode=WAL;');
  const [version] = Object.values(database.prepare('PRAGMA user_version').get() ?? {});
  if (version === 0) database.exec(SCHEMA);
  else if (version !== SCHEMA_VERSION) {
    database.close();
    throw new OrchError('ORCH_UNSUPPORTED', `${path} was written by a newer orch (its schema is ${String(version)}, this one knows ${SCHEMA_VERSION})`);
  }
  return database;
}

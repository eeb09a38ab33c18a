import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { isErrno } from '../../base/files.ts';
import { Semaphore } from '../../base/semaphore.ts';
import { errorMessage, isOrchError, OrchError } from '../../model/errors.ts';
import type { ContainerId } from '../../model/meta.ts';
import type { Container, ContainerCreate, ContainerEngine, ContainerEvent, LogQuery, LogRecord } from '../engine.ts';
import type { Image } from '../image-store.ts';
import { readLog } from '../logs/read-log.ts';
import { ConnectionLost } from '../shim/frame-connection.ts';
import type { MonitorClient } from '../shim/monitor-client.ts';
import { removeTraces, type Adopted } from './adopt-containers.ts';
import { ContainerEntry } from './container-entry.ts';
import type { ContainerRecord } from './container-record.ts';
import type { EngineContext } from './engine-context.ts';
import { readExitRecord, type ExitRecord } from './exit-record.ts';
import { KeyQueue } from './key-queue.ts';
import { launchContainer, type Launched } from './launch-container.ts';
import { checkCreate, prepareContainer, stopSignalOf } from './prepare-container.ts';
import { parseSignal } from './signals.ts';
import { UserFileCache } from './user-files.ts';

const SIGKILL = 9;
/** After SIGKILL only a process that hangs in the kernel stays. */
const KILL_LIMIT_MS = 30_000;
/** More runtimes at once only delay each other. */
const PARALLEL_STARTS = Math.max(4, 2 * availableParallelism());
const PARALLEL_CLEANUPS = 2;

/** Containers as directories below one data directory; made by `openContainerEngine`. */
export class DirectoryContainerEngine implements ContainerEngine {
  readonly #context: EngineContext;
  readonly #entries = new Map<ContainerId, ContainerEntry>();
  /** Also holds names of containers that are being created. */
  readonly #names = new Map<string, ContainerId>();
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  readonly #queue = new KeyQueue();
  readonly #starts = new Semaphore(PARALLEL_STARTS);
  readonly #cleanups = new Semaphore(PARALLEL_CLEANUPS);
  readonly #background = new Set<Promise<void>>();
  readonly #userFiles: UserFileCache;
  #closing = false;
  #disposed = false;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#userFiles = new UserFileCache(context.shim);
  }

  /** Takes over a container of an earlier daemon; `hasTraces` when runtime state or cgroups of it are there. */
  async adopt({ record, lowerDirs, adoption, hasTraces }: Adopted): Promise<void> {
    const entry = new ContainerEntry(record, lowerDirs);
    this.#entries.set(entry.id, entry);
    this.#names.set(record.create.name, entry.id);
    if (adoption.state === 'unchanged') {
      if (hasTraces) this.#cleanLater(entry);
    } else if (adoption.state === 'running') {
      const { pid, startedAtMs, runNumber, monitor } = adoption;
      entry.beginRun({ ...runningRecord(record, runNumber), startedAtMs }, pid);
      this.#watch(entry, monitor);
    } else {
      await this.#endRun(entry, adoption.state === 'exited' ? adoption.exit : undefined);
    }
  }

  async create(request: ContainerCreate): Promise<Container> {
    checkCreate(request);
    return await this.#inOrder(request.id, () => this.#create(request));
  }

  async #create(request: ContainerCreate): Promise<Container> {
    const { images, journal } = this.#context;
    const image = images.find(request.image);
    if (!image) throw new OrchError('ORCH_NOT_FOUND', `No such image: ${request.image}`, { hint: 'Pull it first' });
    const owner = this.#names.get(request.name);
    if (owner !== undefined) {
      throw new OrchError('ORCH_NAME_TAKEN', `The name "${request.name}" is in use by container ${owner.slice(0, 12)}`, { hint: 'Remove or rename that container' });
    }
    if (this.#entries.has(request.id)) throw new OrchError('ORCH_CONFLICT', `Container ${request.id.slice(0, 12)} exists already`);
    this.#names.set(request.name, request.id);
    try {
      const { lowerDirs } = await images.acquireLayers(image.id, request.id);
      await prepareContainer(this.#context, { create: request, image, lowerDirs, userFiles: this.#userFiles });
      const record = this.#newRecord(request, image);
      await journal.write(record);
      const entry = new ContainerEntry(record, lowerDirs);
      this.#entries.set(request.id, entry);
      this.#emit('create', entry);
      return entry.container;
    } catch (error) {
      await rm(this.#context.paths.of(request.id).directory, { recursive: true, force: true });
      await images.releaseLayers(request.id);
      this.#names.delete(request.name);
      throw spaceError(request.name, error);
    }
  }

  start(id: ContainerId): Promise<Container> {
    return this.#inOrder(id, async () => {
      const entry = this.#entry(id);
      if (entry.record.state === 'running') return entry.container;
      await this.#ensureClean(entry);
      const run = runningRecord(entry.record, entry.record.runNumber + 1);
      let durable: Promise<unknown> = Promise.resolve();
      // Not before: a record of a run that never began would be taken for one that was lost.
      const onSent = (): void => { durable = this.#context.journal.write({ ...run, startedAtMs: this.#context.clock.now() }).then(() => undefined, (error: unknown) => error); };
      const [launched] = await Promise.allSettled([this.#starts.run(() => launchContainer(this.#context, entry, { runNumber: run.runNumber, onSent }))]);
      if (launched.status === 'rejected') throw this.#failedStart(entry, run.runNumber, launched.reason);
      entry.beginRun({ ...run, startedAtMs: launched.value.startedAtMs }, launched.value.pid);
      this.#emit('start', entry);
      this.#watchLaunched(entry, launched.value);
      const unwritten = await durable;
      if (!(unwritten instanceof Error)) return entry.container;
      await this.#killAndWait(entry);
      throw unwritten;
    });
  }

  async stop(id: ContainerId, graceMs?: number): Promise<Container> {
    const entry = this.#entry(id);
    if (entry.record.state !== 'running') return entry.container;
    await this.#signal(entry, parseSignal(entry.record.stopSignal));
    if (!(await this.#endsWithin(entry, graceMs ?? entry.record.create.stopGraceMs))) await this.#killAndWait(entry);
    this.#emit('stop', entry);
    return entry.container;
  }

  async kill(id: ContainerId, signal: string): Promise<void> {
    const number = parseSignal(signal);
    const entry = this.#entry(id);
    if (!(await this.#signal(entry, number))) throw new OrchError('ORCH_CONFLICT', `Container "${entry.record.create.name}" is not running`);
  }

  async wait(id: ContainerId, signal: AbortSignal): Promise<Container> {
    signal.throwIfAborted();
    const entry = this.#entry(id);
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    try {
      await Promise.race([entry.ended, aborted.promise]);
      return entry.container;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async remove(id: ContainerId, { force }: { force: boolean }): Promise<void> {
    await this.#inOrder(id, async () => {
      const entry = this.#entries.get(id);
      if (!entry) return;
      const { name } = entry.record.create;
      if (entry.record.state === 'running') {
        if (!force) throw new OrchError('ORCH_IN_USE', `Container "${name}" is running`, { hint: 'Stop it first, or force the removal' });
        await this.#killAndWait(entry);
      }
      await this.#ensureClean(entry);
      await this.#context.journal.delete(id);
      await rm(this.#context.paths.of(id).directory, { recursive: true, force: true });
      await this.#context.images.releaseLayers(id);
      this.#entries.delete(id);
      this.#names.delete(name);
      entry.abandon(new OrchError('ORCH_NOT_FOUND', `Container "${name}" was removed`));
      this.#emit('destroy', entry);
    });
  }

  list(): readonly Container[] { return this.#entries.values().map((entry) => entry.container).toArray(); }

  find(nameOrId: string): Container | undefined {
    const exact = this.#entries.get(nameOrId) ?? this.#entries.get(this.#names.get(nameOrId) ?? '');
    if (exact) return exact.container;
    if (!/^[0-9a-f]+$/.test(nameOrId)) return undefined;
    const [first, second] = this.#entries.values().filter(({ id }) => id.startsWith(nameOrId)).take(2);
    if (second) throw new OrchError('ORCH_INVALID', `Several containers have an id that begins with ${nameOrId}`, { hint: 'Write more of the id' });
    return first?.container;
  }

  async *logs(id: ContainerId, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogRecord, void, void> {
    const entry = this.#entry(id);
    const ended = entry.ended.catch(() => { /* removed: nothing more will come */ });
    yield* readLog({ path: this.#context.paths.of(id).log, ended }, query, signal);
  }

  subscribe(listener: (event: ContainerEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => { this.#listeners.delete(listener); } };
  }

  /** Finishes what is being created, started and removed, then stops watching; containers run on. Who still waits for one is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.#queue.idle();
    this.#disposed = true;
    for (const entry of this.#entries.values()) {
      entry.monitor?.[Symbol.dispose]();
      entry.abandon(engineClosed());
    }
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.#context.journal[Symbol.asyncDispose]();
    if (this.#entries.size === 0) await this.#context.cgroups.removeParent();
  }

  /** One after another for each container. */
  async #inOrder<T>(id: ContainerId, action: () => Promise<T>): Promise<T> {
    if (this.#closing) throw engineClosed();
    return await this.#queue.run(id, action);
  }

  #newRecord(create: ContainerCreate, image: Image): ContainerRecord {
    return {
      version: 1, create, imageId: image.id, stopSignal: stopSignalOf(create, image), state: 'created',
      createdAtMs: this.#context.clock.now(), startedAtMs: 0, exitedAtMs: 0, oomKilled: false, runNumber: 0,
    };
  }

  #entry(id: ContainerId): ContainerEntry {
    const entry = this.#entries.get(id);
    if (!entry) throw new OrchError('ORCH_NOT_FOUND', `No such container: ${id.slice(0, 12)}`);
    return entry;
  }

  #emit(action: ContainerEvent['action'], entry: ContainerEntry): void {
    const event = { action, container: entry.container, atMs: this.#context.clock.now() };
    for (const listener of this.#listeners) listener(event);
  }

  /** Records why, and returns what to throw. */
  #failedStart(entry: ContainerEntry, runNumber: number, reason: unknown): unknown {
    entry.record = { ...entry.record, runNumber, error: errorMessage(reason) };
    this.#inBackground(entry.id, this.#context.journal.write(entry.record));
    this.#cleanLater(entry);
    return spaceError(entry.record.create.name, reason);
  }

  #watchLaunched(entry: ContainerEntry, { monitor }: Launched): void {
    if (monitor) this.#watch(entry, monitor);
    else this.#inBackground(entry.id, this.#finish(entry));
  }

  #watch(entry: ContainerEntry, monitor: MonitorClient): void {
    entry.monitor = monitor;
    this.#inBackground(entry.id, monitor.closed.then(async () => {
      if (!this.#disposed) await this.#finish(entry);
    }));
  }

  /** The monitor is gone: the exit file says how the run ended, or nobody knows. */
  async #finish(entry: ContainerEntry): Promise<void> {
    const exit = await readExitRecord(this.#context.paths.of(entry.id).exit);
    await this.#endRun(entry, exit?.runNumber === entry.record.runNumber ? exit : undefined);
  }

  async #endRun(entry: ContainerEntry, exit: ExitRecord | undefined): Promise<void> {
    const { cgroups, clock, journal, log } = this.#context;
    if (exit) {
      entry.endRun(exitedRecord(entry.record, exit));
      if (exit.logDroppedBytes > 0) log.warn({ containerId: entry.id, bytes: exit.logDroppedBytes }, 'output of a container could not be written to its log');
    } else {
      // What nobody watches must not run on. A process that cannot be killed is said, and met again by the clean-up.
      const stuck = await cgroups.killAll(entry.id).then(() => '', (error: unknown) => `; ${errorMessage(error)}`);
      entry.endRun(lostRecord(entry.record, clock.now(), stuck));
    }
    this.#cleanLater(entry);
    this.#inBackground(entry.id, journal.write(entry.record));
    if (entry.record.oomKilled) this.#emit('oom', entry);
    this.#emit('die', entry);
  }

  #cleanLater(entry: ContainerEntry): void {
    const cleaning = this.#cleanups.run(() => removeTraces(this.#context, entry.id));
    entry.cleaned = cleaning.then(() => true, () => false);
    this.#inBackground(entry.id, cleaning);
  }

  /** What the clean-up after the last run could not do is tried again. */
  async #ensureClean(entry: ContainerEntry): Promise<void> {
    if (!(await entry.cleaned)) await removeTraces(this.#context, entry.id);
    entry.cleaned = Promise.resolve(true);
  }

  /** What happens after a call was answered has nobody to throw to: its errors are logged here. */
  #inBackground(id: ContainerId, work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.#context.log.error({ containerId: id, error: errorMessage(error) }, 'the end of a container could not be processed'))
      .finally(() => { this.#background.delete(tracked); });
    this.#background.add(tracked);
  }

  /** False when it does not run. */
  async #signal(entry: ContainerEntry, number: number): Promise<boolean> {
    try {
      if (!entry.monitor) return false;
      await entry.monitor.signal(number);
    } catch (error) {
      if (error instanceof ConnectionLost) return false;
      throw error;
    }
    this.#emit('kill', entry);
    return true;
  }

  async #killAndWait(entry: ContainerEntry): Promise<void> {
    await this.#signal(entry, SIGKILL);
    if (await this.#endsWithin(entry, KILL_LIMIT_MS)) return;
    throw new OrchError('ORCH_TIMEOUT', `Container "${entry.record.create.name}" does not end, not even after SIGKILL`, { hint: 'A process of it may wait for a disk or a network file system' });
  }

  async #endsWithin(entry: ContainerEntry, limitMs: number): Promise<boolean> {
    const timer = new AbortController();
    const elapsed = this.#context.clock.sleep(limitMs, timer.signal).then(() => false, () => true);
    try {
      return await Promise.race([entry.ended.then(() => true), elapsed]);
    } finally {
      timer.abort();
    }
  }
}

/** The record of a new run, without what the last one left. */
function runningRecord({ exitCode: _exitCode, error: _error, ...record }: ContainerRecord, runNumber: number): ContainerRecord {
  return { ...record, state: 'running', exitedAtMs: 0, oomKilled: false, runNumber };
}

const exitedRecord = (record: ContainerRecord, { exitCode, oomKilled, startedAtMs, exitedAtMs, runNumber }: ExitRecord): ContainerRecord =>
  ({ ...runningRecord(record, runNumber), state: 'exited', exitCode, oomKilled, startedAtMs, exitedAtMs });

const lostRecord = (record: ContainerRecord, nowMs: number, more: string): ContainerRecord =>
  ({ ...runningRecord(record, record.runNumber), state: 'exited', exitedAtMs: nowMs, error: `Nobody saw how it ended: its monitor, or the node, was stopped first${more}` });

const engineClosed = (): OrchError => new OrchError('ORCH_RUNTIME', 'The container engine is closed');

function spaceError(name: string, error: unknown): unknown {
  if (isOrchError(error)) return error;
  if (isErrno(error, 'ENOSPC') || isErrno(error, 'EDQUOT')) return new OrchError('ORCH_NO_SPACE', `No space is left for container "${name}"`, { cause: error });
  return error;
}

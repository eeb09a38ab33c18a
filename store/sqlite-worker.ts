import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { CommitChanges } from './backend.ts';
import type { DatabaseOptions } from './sqlite-database.ts';
import { type CommitRequest, SqliteEngine } from './sqlite-engine.ts';
import { type CommitCall, type WorkerAnswer, type WorkerCall, type WorkerReply, type WorkerRequest, packChanges, packEntries, packError, packOutcomes, unpackCommits } from './sqlite-protocol.ts';

/** What the main thread starts this file with. */
export type WorkerOptions = DatabaseOptions & { readonly nowMs: number };

/** Commits that share a transaction, at most; more would only make the first of them wait. */
const GROUP_COMMITS = 2000;

/** Answers the requests of one port with one engine. */
class SqliteServer {
  readonly #engine: SqliteEngine;
  readonly #port: MessagePort;
  #group: { readonly id: number; readonly requests: readonly CommitRequest[] }[] = [];
  #groupSize = 0;
  #nowMs = 0;
  #closed = false;

  constructor(engine: SqliteEngine, port: MessagePort) {
    this.#engine = engine;
    this.#port = port;
  }

  /** Serves `first` and everything that waits behind it; commits without another request between them share a transaction. */
  serve(first: WorkerRequest): void {
    for (let request: WorkerRequest | undefined = first; request && !this.#closed; request = receiveMessageOnPort(this.#port)?.message) {
      const { id, nowMs, call } = request;
      this.#nowMs = nowMs;
      if (call.type === 'commit') this.#enqueue(id, call);
      else {
        this.#commitGroup();
        this.#serveCall(id, call);
      }
    }
    this.#commitGroup();
  }

  #enqueue(id: number, { commits }: CommitCall): void {
    const requests = unpackCommits(commits);
    this.#group.push({ id, requests });
    this.#groupSize += requests.length;
    if (this.#groupSize >= GROUP_COMMITS) this.#commitGroup();
  }

  #commitGroup(): void {
    const group = this.#group;
    if (group.length === 0) return;
    this.#group = [];
    this.#groupSize = 0;
    try {
      const own = this.#expireLeases();
      const outcomes = this.#engine.commitGroup(group.flatMap(({ requests }) => requests));
      let position = 0;
      for (const [index, { id, requests }] of group.entries()) {
        this.#reply({ id, own: index === 0 ? own : [], answer: { type: 'outcomes', ...packOutcomes(outcomes.slice(position, position += requests.length)) } });
      }
    } catch (error) {
      for (const { id } of group) this.#reply({ id, own: [], answer: failed(error) });
    }
  }

  #serveCall(id: number, call: Exclude<WorkerCall, CommitCall>): void {
    const own: CommitChanges[] = [];
    try {
      own.push(...this.#expireBefore(call));
      const answer = this.#answer(id, call, own);
      if (answer) this.#reply({ id, own, answer });
    } catch (error) {
      this.#reply({ id, own, answer: failed(error) });
    }
  }

  #expireLeases(): CommitChanges[] {
    const commit = this.#engine.expireLeases(this.#nowMs);
    return commit ? [commit] : [];
  }

  /** A full disk cannot record that a key has run out: that stops writers, but readers are shown what is recorded. */
  #expireBefore({ type }: WorkerCall): CommitChanges[] {
    try {
      return type === 'close' ? [] : this.#expireLeases();
    } catch (error) {
      if (type === 'range' || type === 'replay') return [];
      throw error;
    }
  }

  /** The answer to `call`; undefined when it comes later. Commits made for it go to `own`. */
  #answer(id: number, call: Exclude<WorkerCall, CommitCall>, own: CommitChanges[]): WorkerAnswer | undefined {
    switch (call.type) {
      case 'range': {
        const { revision, entries } = this.#engine.range(call.query);
        return { type: 'entries', revision, entries: packEntries(entries) };
      }
      case 'replay': return { type: 'commits', commits: packChanges(this.#engine.replay(call.query)) };
      case 'campaign': {
        const { held, commit } = this.#engine.campaign(call.campaign, this.#nowMs);
        if (commit) own.push(commit);
        return { type: 'held', held };
      }
      case 'resign': {
        const commit = this.#engine.resign(call.resignation);
        if (commit) own.push(commit);
        return { type: 'done' };
      }
      case 'compact':
        this.#engine.startCompaction(call.revision);
        this.#compactOn(id);
        return undefined;
      case 'close':
        this.#close();
        return { type: 'done' };
    }
  }

  /** One step of compaction a turn, so that commits get through between them. */
  #compactOn(id: number): void {
    if (this.#closed) return;
    try {
      if (this.#engine.compactStep()) setImmediate(() => this.#compactOn(id));
      else this.#reply({ id, own: [], answer: { type: 'done' } });
    } catch (error) {
      this.#reply({ id, own: [], answer: failed(error) });
    }
  }

  #close(): void {
    this.#closed = true;
    this.#engine[Symbol.dispose]();
  }

  #reply(reply: WorkerReply): void {
    this.#port.postMessage(reply);
    if (this.#closed) this.#port.close();
  }
}

const failed = (error: unknown): WorkerAnswer => ({ type: 'failed', error: packError(error) });

function start(port: MessagePort, options: WorkerOptions): void {
  const opened = (answer: WorkerAnswer): void => port.postMessage({ id: 0, own: [], answer } satisfies WorkerReply);
  try {
    const engine = new SqliteEngine(options, options.nowMs);
    const server = new SqliteServer(engine, port);
    port.on('message', (request: WorkerRequest) => server.serve(request));
    opened({ type: 'opened', epoch: engine.epoch, revision: engine.bounds.revision });
  } catch (error) {
    opened(failed(error));
  }
}

/** False when this file is only loaded, without work, as the warming of the compile cache does. */
const isOptions = (data: unknown): data is WorkerOptions => typeof data === 'object' && data !== null && 'path' in data;

if (parentPort && isOptions(workerData)) start(parentPort, workerData);

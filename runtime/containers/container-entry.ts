import type { ContainerId } from '../../model/meta.ts';
import type { Container } from '../engine.ts';
import type { MonitorClient } from '../shim/monitor-client.ts';
import { recordContainer, type ContainerRecord } from './container-record.ts';

/** One container in memory. Only the engine changes it. */
export class ContainerEntry {
  record: ContainerRecord;
  /** Layers of its image, top first. */
  readonly lowerDirs: readonly string[];
  /** While it runs. */
  pid = 0;
  monitor: MonitorClient | undefined;
  /** The clean-up of runtime state and cgroups after the last run; true when nothing is left of it. */
  cleaned: Promise<boolean> = Promise.resolve(true);
  #ended = Promise.withResolvers<void>();

  constructor(record: ContainerRecord, lowerDirs: readonly string[]) {
    this.record = record;
    this.lowerDirs = lowerDirs;
    if (record.state === 'exited') this.#ended.resolve();
    this.#ended.promise.catch(() => { /* whoever waits gets it too */ });
  }

  get id(): ContainerId { return this.record.create.id; }

  get container(): Container { return recordContainer(this.record, this.pid); }

  /** Resolves when the present run has ended; rejects when the container was removed before it ran. */
  get ended(): Promise<void> { return this.#ended.promise; }

  beginRun(record: ContainerRecord, pid: number): void {
    if (this.record.state === 'exited') this.#ended = Promise.withResolvers();
    this.record = record;
    this.pid = pid;
  }

  endRun(record: ContainerRecord): void {
    this.record = record;
    this.pid = 0;
    this.monitor = undefined;
    this.#ended.resolve();
  }

  /** Ends the waiting of those who wait for a container that will never run. */
  abandon(reason: Error): void { this.#ended.reject(reason); }
}

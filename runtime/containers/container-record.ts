import { OrchError } from '../../model/errors.ts';
import type { Container, ContainerCreate, ContainerState } from '../engine.ts';

/** What is kept of a container on disk. */
export type ContainerRecord = {
  readonly version: 1;
  readonly create: ContainerCreate;
  readonly imageId: string;
  /** As decided from request and image: name or number. */
  readonly stopSignal: string;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly exitedAtMs: number;
  readonly exitCode?: number;
  readonly oomKilled: boolean;
  readonly error?: string;
  /** How often it was started; tells the exit files of its runs apart. */
  readonly runNumber: number;
};

/** The record as the engine's users see it; `pid` counts only while it runs. */
export function recordContainer(record: ContainerRecord, pid: number): Container {
  const { create, imageId, state, createdAtMs, startedAtMs, exitedAtMs, exitCode, oomKilled, error } = record;
  return {
    id: create.id, name: create.name, create, imageId, state, createdAtMs, startedAtMs, exitedAtMs, oomKilled,
    pid: state === 'running' ? pid : 0,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Reads a record that this module's type describes. Throws ORCH_CORRUPT for anything else. */
export function parseRecord(value: unknown): ContainerRecord {
  if (isRecord(value)) return value;
  throw new OrchError('ORCH_CORRUPT', `This is no record of a container: ${JSON.stringify(value).slice(0, 200)}`);
}

/** The journal is written by this program only: its version vouches for the rest. */
const isRecord = (value: unknown): value is ContainerRecord =>
  typeof value === 'object' && value !== null && 'version' in value && value.version === 1 && 'create' in value && 'imageId' in value;

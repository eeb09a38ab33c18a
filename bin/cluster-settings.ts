import { join } from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../base/files.ts';
import { rm } from 'node:fs/promises';

/** How this node takes part in its cluster; beside its identity, which proves that it does. */
export type ClusterSettings = {
  /** HOST:PORT where a manager listens. */
  readonly listenAddress: string;
  /** HOST:PORT, or HOST, that others reach this node at. */
  readonly advertiseAddress: string;
  /** Managers it joined through; HOST:PORT. */
  readonly managers: readonly string[];
};

const pathIn = (dataDir: string): string => join(dataDir, 'cluster.json');

export const saveClusterSettings = (dataDir: string, settings: ClusterSettings): Promise<void> => writeFileAtomic(pathIn(dataDir), JSON.stringify(settings, undefined, 2));

export async function loadClusterSettings(dataDir: string): Promise<ClusterSettings | undefined> {
  const text = await readTextIfExists(pathIn(dataDir));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by saveClusterSettings only
  return text === undefined ? undefined : JSON.parse(text) as ClusterSettings;
}

export const removeClusterSettings = (dataDir: string): Promise<void> => rm(pathIn(dataDir), { force: true });

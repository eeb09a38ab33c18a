import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import type { Clock } from '../../base/clock.ts';
import { isErrno } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';
import type { ContainerId } from '../../model/meta.ts';
import type { CgroupMounts } from './cgroup-mounts.ts';

const PAUSE_MS = 5;
const LIMIT_MS = 10_000;

/** The cgroups of one node's containers: `/orch/<nodeId>/<containerId>` in every hierarchy. Touches nothing outside of `/orch/<nodeId>`. */
export class NodeCgroups {
  readonly #parent: string;
  readonly #mounts: CgroupMounts;
  readonly #clock: Clock;
  /** Mount points of all hierarchies, each once. */
  readonly #roots: readonly string[];

  /** `nodeId` must be a plain name: letters, digits, dots, dashes, underscores. */
  constructor(nodeId: string, mounts: CgroupMounts, clock: Clock) {
    if (!/^[\w-][\w.-]*$/.test(nodeId)) throw new OrchError('ORCH_INVALID', `"${nodeId}" cannot be a node id: it is no name for a directory`);
    this.#parent = `/orch/${nodeId}`;
    this.#mounts = mounts;
    this.#clock = clock;
    this.#roots = [...new Set([...mounts.controllers.values(), ...(mounts.unified === undefined ? [] : [mounts.unified])])];
  }

  /** The container's path below every root. */
  pathOf(id: ContainerId): string { return `${this.#parent}/${id}`; }

  /** Files with a line `oom_kill N` for this container. */
  oomFiles(id: ContainerId): string[] {
    const memory = this.#mounts.controllers.get('memory');
    if (memory !== undefined) return [join(memory, this.pathOf(id), 'memory.oom_control')];
    return this.#mounts.unified === undefined ? [] : [join(this.#mounts.unified, this.pathOf(id), 'memory.events')];
  }

  /** Ids that have a cgroup in any hierarchy. */
  async list(): Promise<Set<ContainerId>> {
    const lists = await Promise.all(this.#roots.map((root) => childDirectories(join(root, this.#parent))));
    return new Set(lists.flat());
  }

  /** Kills every process of the container, until none is left. Throws ORCH_TIMEOUT when some do not die. */
  async killAll(id: ContainerId): Promise<void> {
    const endMs = this.#clock.monotonic() + LIMIT_MS;
    for (;;) {
      if (this.#mounts.unified !== undefined) await killTree(join(this.#mounts.unified, this.pathOf(id)));
      const pids = await this.#pids(id);
      if (pids.size === 0) return;
      for (const pid of pids) signalIfAlive(pid);
      if (this.#clock.monotonic() > endMs) {
        throw new OrchError('ORCH_TIMEOUT', `${pids.size} processes of container ${id} do not end, not even after SIGKILL`, { hint: 'They may wait for a disk or a network file system' });
      }
      await this.#clock.sleep(PAUSE_MS);
    }
  }

  /** Removes the container's empty cgroups; fine when there are none. Throws ORCH_IN_USE while processes are in them. */
  async remove(id: ContainerId): Promise<void> {
    const endMs = this.#clock.monotonic() + LIMIT_MS;
    for (const root of this.#roots) {
      while (!(await removeTree(join(root, this.pathOf(id))))) {
        if (this.#clock.monotonic() > endMs) throw new OrchError('ORCH_IN_USE', `The cgroup of container ${id} is not empty`);
        await this.#clock.sleep(PAUSE_MS);
      }
    }
  }

  /** Removes the node's own cgroups when no container is left. */
  async removeParent(): Promise<void> {
    await Promise.all(this.#roots.map((root) => removeTree(join(root, this.#parent))));
  }

  async #pids(id: ContainerId): Promise<Set<number>> {
    const lists = await Promise.all(this.#roots.map((root) => treePids(join(root, this.pathOf(id)))));
    return new Set(lists.flat());
  }
}

async function childDirectories(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Linux 5.14 kills a whole version 2 tree at once; without that file the pids are signalled one by one. */
async function killTree(path: string): Promise<void> {
  try {
    await writeFile(join(path, 'cgroup.kill'), '1', { flag: 'r+' });
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

async function treePids(path: string): Promise<number[]> {
  const children = await childDirectories(path);
  const below = await Promise.all(children.map((child) => treePids(join(path, child))));
  try {
    const text = await readFile(join(path, 'cgroup.procs'), 'utf8');
    // 0 is a process of a foreign pid namespace, which has no name here.
    return [...text.split('\n').map(Number).filter((pid) => pid > 0), ...below.flat()];
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')) return below.flat();
    throw error;
  }
}

function signalIfAlive(pid: number): void {
  try {
    kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** Depth first; false while it is busy. */
async function removeTree(path: string): Promise<boolean> {
  const removed = await Promise.all((await childDirectories(path)).map((child) => removeTree(join(path, child))));
  if (removed.includes(false)) return false;
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EBUSY')) return false;
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}

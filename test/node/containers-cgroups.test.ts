import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it, type Context } from 'mocha';
import { findCgroupMounts } from '../../runtime/cgroups/cgroup-mounts.ts';
import { readHostFacts } from '../../runtime/oci/host-facts.ts';
import { skipTest } from '../support/skip.ts';

const script = join(import.meta.dirname, '../support/cgroup-engine.ts');

/** What a process sees of cgroups once this shell script has run in a mount namespace of its own. */
const views = {
  /** Without controllers of memory, CPU or processes, which version 1 has: so no limits can be tested here. */
  'version 2 alone': { script: 'umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup', facts: { cgroupVersion: 2, controllers: false, unified: true } },
  'version 1 alone': { script: 'umount /sys/fs/cgroup/unified', facts: { cgroupVersion: 1, controllers: true, unified: false } },
};

async function reasonToSkip(runtime: string, view: keyof typeof views): Promise<string | undefined> {
  if (spawnSync(runtime, ['--version']).error) return `${runtime} is not installed`;
  const { controllers } = await findCgroupMounts();
  if (view === 'version 1 alone' && controllers.size === 0) return 'this host has no cgroup version 1';
  if (runtime === 'crun' && view === 'version 2 alone' && !(await readHostFacts()).capabilities.has('CAP_SYS_RESOURCE')) return 'crun raises its limit of locked memory for version 2, which needs CAP_SYS_RESOURCE';
  return undefined;
}

async function containersRun(context: Context, runtime: string, view: keyof typeof views): Promise<void> {
  const reason = await reasonToSkip(runtime, view);
  if (reason !== undefined) skipTest(context, reason);
  const { stdout } = await promisify(execFile)('unshare', ['-m', 'sh', '-c', `${views[view].script} && exec "$@"`, 'sh', process.execPath, script, runtime]);
  assert.deepEqual(JSON.parse(stdout), {
    ...views[view].facts, ended: { exitCode: 7, oomKilled: false, stdout: 'kept away\n', stderr: '' }, hasOwnCgroup: true,
    withoutMonitor: { state: 'exited', error: 'Nobody saw how it ended: its monitor, or the node, was stopped first' },
  });
}

describe('containers run in cgroups of their own and are killed through them', () => {
  for (const runtime of ['runc', 'crun']) {
    it(`with ${runtime} and cgroup version 2 alone`, async function () { await containersRun(this, runtime, 'version 2 alone'); });
    it(`with ${runtime} and cgroup version 1 alone`, async function () { await containersRun(this, runtime, 'version 1 alone'); });
  }
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import { findCgroupMounts } from '../../runtime/cgroups/cgroup-mounts.ts';
import { NodeCgroups } from '../../runtime/cgroups/node-cgroups.ts';
import { ContainerLab } from '../support/container-lab.ts';

const ROUNDS = 8;
const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z');

describe('a daemon that is killed at any moment', () => {
  let lab: ContainerLab;
  before(async () => { lab = await ContainerLab.open(); });
  after(() => lab[Symbol.asyncDispose]());

  it('leaves a state that the next one understands: what it lists is there, and nothing else is', async function () {
    this.timeout(240_000);
    const cgroups = new NodeCgroups(lab.nodeId, await findCgroupMounts(), systemClock);
    for (let round = 0; round < ROUNDS; round += 1) {
      await lab.close();
      const daemon = spawn(process.execPath, [join(import.meta.dirname, '../support/engine-churn.ts'), lab.directory], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(daemon.stdout, 'data');
      await new Promise((resolve) => { setTimeout(resolve, 50 + round * 70); });
      daemon.kill('SIGKILL');
      await once(daemon, 'exit');
      await lab.reopen();
      const containers = lab.engine.list();
      const known = new Set(containers.map(({ id }) => id));
      for (const { id, state, pid, exitCode, error } of containers) {
        assert.equal(state === 'running', isRunning(pid) && pid > 0, id);
        if (state === 'exited') assert.deepEqual([exitCode, error], [exitCode === 137 ? 137 : 3, undefined], `${id} ended as it should`);
      }
      assert.deepEqual(new Set(readdirSync(join(lab.directory, 'data/containers'))), known);
      assert.ok((await cgroups.list()).isSubsetOf(known));
      await Promise.all(containers.map(({ id }) => lab.engine.remove(id, { force: true })));
      assert.deepEqual(readdirSync(join(lab.directory, 'data/containers')), []);
      assert.deepEqual(readdirSync(join(lab.directory, 'run/m')), []);
      assert.deepEqual(readdirSync(join(lab.directory, 'run/runtime')), []);
      assert.equal((await cgroups.list()).size, 0);
    }
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import type { ProgramRunner } from '../../base/program-runner.ts';
import { errorMessage } from '../../model/errors.ts';
import { findCgroupMounts } from '../../runtime/cgroups/cgroup-mounts.ts';
import { NodeCgroups } from '../../runtime/cgroups/node-cgroups.ts';
import { findOciRuntime } from '../../runtime/oci/command-runtime.ts';
import { findShimBinary } from '../../runtime/shim-binary.ts';
import { ShimClient } from '../../runtime/shim-client.ts';
import { ociRuntimeContract, type RuntimeSubject } from '../contract/oci-runtime.ts';

describe('OCI runtimes', () => {
  let folder = '';
  let shim: ShimClient;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'orch-shim-'));
    shim = await ShimClient.open({ binary: await findShimBinary(), socket: join(folder, 's'), clock: systemClock });
  });
  after(async () => {
    await shim[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
    await new NodeCgroups(`contract-${process.pid}`, await findCgroupMounts(), systemClock).removeParent();
  });

  ociRuntimeContract('runc', async (root) => ({ runtime: await findOciRuntime({ runner: shim, root, name: 'runc' }), runner: shim }));

  /** crun 1.8 refuses hosts with cgroup version 1 where the version 2 tree beside it holds a controller; without that tree it works. */
  const withoutUnified: ProgramRunner = {
    run: (argv, options) => shim.run(['unshare', '-m', 'sh', '-c', 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', 'sh', ...argv], options),
  };

  ociRuntimeContract('crun', async (root): Promise<RuntimeSubject | string> => {
    try {
      const hybrid = (await findCgroupMounts()).controllers.size > 0;
      const runner = hybrid ? withoutUnified : shim;
      return { runtime: await findOciRuntime({ runner, root, name: 'crun' }), runner };
    } catch (error) {
      return errorMessage(error);
    }
  });
});

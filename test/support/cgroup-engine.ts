/** For a test that shows this process a host with other cgroups: runs containers with the OCI runtime in argv and prints what came of it as JSON. */
import { readFileSync } from 'node:fs';
import { findCgroupMounts } from '../../runtime/cgroups/cgroup-mounts.ts';
import { runtimeNames } from '../../runtime/oci/command-runtime.ts';
import { readHostFacts } from '../../runtime/oci/host-facts.ts';
import { ContainerLab } from './container-lab.ts';

const runtime = runtimeNames.find((known) => known === process.argv[2]) ?? 'runc';
await using lab = await ContainerLab.open({ runtime });
const { cgroupVersion } = await readHostFacts();
const { controllers, unified } = await findCgroupMounts();
const ended = await lab.run(['sh', '-c', 'mknod /tmp/disk b 254 0; head -c1 /tmp/disk 2>/dev/null || echo kept away; exit 7']);
const id = await lab.create(['sh', '-c', 'sleep 1000 & sleep 1000']);
const { pid } = await lab.engine.start(id);
const hasOwnCgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/orch/${lab.nodeId}/${id}`);
process.kill(Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]), 'SIGKILL');
const { state, error } = await lab.engine.wait(id, AbortSignal.timeout(20_000));
console.log(JSON.stringify({ cgroupVersion, controllers: controllers.size > 0, unified: unified !== undefined, ended, hasOwnCgroup, withoutMonitor: { state, error } }));

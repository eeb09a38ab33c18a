import { revision } from '../../model/testing.ts';
import { AgentLab } from '../../test/support/agent-lab.ts';

/**
 * How long one node takes from hearing of its tasks to having reported all of them running, and from hearing that they are to stop until nothing is left; ms.
 * Needs root; containers are real, the network is in namespaces of its own. Optional argument: number of tasks.
 */
const count = Number(process.argv[2] ?? 50);

await using lab = await AgentLab.open();
lab.manager.connect(lab.agent);
const sleeping = revision({ id: 'r', template: { container: { image: 'busybox', command: ['sleep', '1000'], stopSignal: 'SIGKILL', stopGraceMs: 1_000 } } });
const ids = (prefix: string, length: number): string[] => Array.from({ length }, (_, index) => `${prefix}${index}`);

async function timeMs(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start);
}

const start = async (names: readonly string[]): Promise<void> => {
  for (const [index, id] of names.entries()) lab.manager.assign(id, { revision: sleeping, slot: index + 1 });
  await lab.until(() => names.every((id) => lab.stateOf(id) === 'running'));
};
const remove = async (names: readonly string[]): Promise<void> => {
  for (const id of names) lab.manager.want(id, 'shutdown');
  await lab.until(() => names.every((id) => lab.stateOf(id) === 'shutdown'));
  for (const id of names) lab.manager.remove(id);
  await lab.until(() => lab.containers.engine.list().length === 0 && lab.network.attachments().length === 0);
};

const alone: number[] = [];
for (const id of ids('alone', 7)) {
  alone.push(await timeMs(() => start([id])));
  await remove([id]);
}
const all = ids('task', count);
const cpuBefore = process.cpuUsage();
const startAllMs = await timeMs(() => start(all));
const cpu = process.cpuUsage(cpuBefore);
const removeAllMs = await timeMs(() => remove(all));
process.stdout.write(`${JSON.stringify({
  name: 'agent/start', startOneMs: alone.sort((a, b) => a - b)[3], count, startAllMs, perSecond: Math.round(count / startAllMs * 1e5) / 100, daemonCpuMs: Math.round((cpu.user + cpu.system) / 1000), removeAllMs,
})}\n`);

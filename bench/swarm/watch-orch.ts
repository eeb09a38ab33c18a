import { setTimeout as sleepMs } from 'node:timers/promises';
import type { DockerNode, DockerService, DockerTask } from '../../cli/docker-objects.ts';
import { openApiClient } from '../../cli/http-client.ts';
import { filtersQuery } from '../../cli/list-output.ts';

// Polls a manager's API and prints one line a poll, as the benchmark's README asks: {"t":epochMs,"ok":true,"tasks":[[service,state,desired,node,container,taskId,image]...]}.
// Arguments: SOCKET [all]. The pause is 50 ms, or three times the request's own time when that is longer.

const POLL_MS = 50;
const [socketPath = '', scope = ''] = process.argv.slice(2);
const client = openApiClient({ socketPath });
const services = new Map<string, string>();
const nodes = new Map<string, number>();
process.stdout.on('error', () => process.exit(0));

async function readTasks(): Promise<DockerTask[]> {
  const query = scope === 'all' ? '' : `?${filtersQuery(['desired-state=running', 'desired-state=ready'])}`;
  return await client.json({ path: `/tasks${query}` }) as DockerTask[];
}

async function learnNames(tasks: readonly DockerTask[]): Promise<void> {
  if (tasks.some((task) => !services.has(task.ServiceID))) for (const service of await client.json({ path: '/services' }) as DockerService[]) services.set(service.ID, service.Spec.Name);
  if (tasks.some((task) => task.NodeID && !nodes.has(task.NodeID))) for (const node of await client.json({ path: '/nodes' }) as DockerNode[]) nodes.set(node.ID, Number((node.Description?.Hostname ?? '').replace('n', '')));
}

async function look(): Promise<unknown> {
  try {
    const tasks = await readTasks();
    await learnNames(tasks);
    return {
      t: Date.now(), ok: true,
      tasks: tasks.map((task) => [services.get(task.ServiceID) ?? '?', task.Status.State, task.DesiredState, nodes.get(task.NodeID ?? '') ?? 0, task.Status.ContainerStatus?.ContainerID ?? '', task.ID, task.Spec.ContainerSpec.Image]),
    };
  } catch (error) {
    return { t: Date.now(), ok: false, err: String(error) };
  }
}

while (true) {
  const startMs = performance.now();
  process.stdout.write(`${JSON.stringify(await look())}\n`);
  const tookMs = performance.now() - startMs;
  await sleepMs(Math.max(5, POLL_MS - tookMs, tookMs > POLL_MS ? 3 * tookMs : 0));
}

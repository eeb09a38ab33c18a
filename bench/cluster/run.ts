import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { LabHarness } from '../../test/e2e/support/lab-harness.ts';

// Times of a cluster of three nodes in the lab, through its API: prints one JSON object a scenario. `node bench/cluster/run.ts [RUNS]`

const RUNS = Number(process.argv[2] ?? 5);
const NODES = 3;
const POLL_MS = 4;
const IDLE_SETTLE_MS = 20_000;
const IDLE_WINDOW_MS = 10_000;
const CLOCK_TICKS_PER_SECOND = 100;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round = (value: number): number => Math.round(value * 10) / 10;

function print(scenario: string, samples: readonly number[], more: Record<string, unknown> = {}): void {
  console.log(JSON.stringify({ scenario, unit: 'ms', best: round(Math.min(...samples)), median: round(median(samples)), samples: samples.map(round), load: round(loadavg()[0] ?? 0), cpus: cpus().length, ...more }));
}

type Counted = { Spec: { Name: string }; ID: string; ServiceStatus: { RunningTasks: number } };

async function counts(lab: LabHarness, name: string): Promise<number> {
  const services = await lab.api(1).json({ path: `/services?status=true&filters=${encodeURIComponent(JSON.stringify({ name: { [name]: true } }))}` }) as Counted[];
  return services.find((service) => service.Spec.Name === name)?.ServiceStatus.RunningTasks ?? -1;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!await condition()) await sleepMs(POLL_MS);
}

const spec = (name: string, replicas: number): unknown => ({ Name: name, Mode: { Replicated: { Replicas: replicas } }, TaskTemplate: { ContainerSpec: { Image: 'demo:1' } } });

async function create(lab: LabHarness, name: string, replicas: number): Promise<void> {
  await lab.api(1).json({ method: 'POST', path: '/services/create', body: spec(name, replicas) });
  await until(async () => await counts(lab, name) === replicas);
}

async function removeAndWait(lab: LabHarness, name: string): Promise<void> {
  await lab.api(1).json({ method: 'DELETE', path: `/services/${name}` });
  await until(async () => await counts(lab, name) < 0);
}

async function measureCreate(lab: LabHarness): Promise<void> {
  const samples: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const startMs = performance.now();
    await create(lab, 'three', 3);
    samples.push(performance.now() - startMs);
    await removeAndWait(lab, 'three');
    await sleepMs(500);
  }
  print('create 3 replicas to all running', samples, { target: 600 });
}

async function measureScale(lab: LabHarness): Promise<void> {
  const samples: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    await create(lab, 'many', 1);
    const service = await lab.api(1).json({ path: '/services/many' }) as { ID: string; Version: { Index: number } };
    const startMs = performance.now();
    await lab.api(1).json({ method: 'POST', path: `/services/${service.ID}/update?version=${service.Version.Index}`, body: spec('many', 50) });
    await until(async () => await counts(lab, 'many') === 50);
    samples.push(performance.now() - startMs);
    await removeAndWait(lab, 'many');
    await sleepMs(500);
  }
  print('scale 1 to 50 replicas', samples, { target: 4000 });
}

async function measureNodeLoss(lab: LabHarness): Promise<void> {
  const samples: number[] = [];
  for (let run = 0; run < Math.min(RUNS, 3); run += 1) {
    await create(lab, 'lost', 6);
    const dead = (await lab.nodes()).find((node) => node.Description?.Hostname === `n${NODES}`)?.ID;
    await lab.lab('kill', String(NODES));
    const startMs = performance.now();
    await until(async () => (await lab.running('lost')).filter((task) => task.NodeID !== dead).length === 6);
    samples.push(performance.now() - startMs);
    await lab.lab('start', String(NODES));
    await until(async () => (await lab.nodes()).every((node) => node.Status.State === 'ready'));
    await removeAndWait(lab, 'lost');
  }
  print("power cut of a node to its tasks running elsewhere", samples, { target: 6000 });
}

const memoryMib = (pid: number): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

async function measureIdle(lab: LabHarness): Promise<void> {
  await sleepMs(IDLE_SETTLE_MS);
  for (const node of await lab.status()) {
    const before = cpuSeconds(node.daemonPid);
    await sleepMs(IDLE_WINDOW_MS);
    const share = (cpuSeconds(node.daemonPid) - before) / (IDLE_WINDOW_MS / 1000);
    const isManager = node.index === 1;
    console.log(JSON.stringify({ scenario: `idle daemon, ${isManager ? 'manager and agent' : 'agent'}`, rssMib: round(memoryMib(node.daemonPid)), targetMib: isManager ? 110 : 80, cpuPercent: round(share * 100), targetPercent: 1 }));
  }
}

const startMs = performance.now();
await using lab = await LabHarness.up({ name: 'bench', nodes: NODES, subnet: '10.94.0' });
print('lab up, 3 nodes ready', [performance.now() - startMs], { target: 3000 });
await measureIdle(lab);
await lab.loadDemoImage('demo:1');
await measureCreate(lab);
await measureScale(lab);
await measureNodeLoss(lab);

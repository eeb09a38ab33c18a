import { loadavg } from 'node:os';
import { schedule } from '../../scheduler/schedule.ts';
import type { Scenario } from './cluster.ts';
import { buildState } from './cluster.ts';

/**
 * How long deciding takes, without store, events and debounce: `node --expose-gc bench/scheduler/decision.ts [RUNS] [FILTER]`.
 * Every run has a fresh state whose nodes are known and whose indexes are not, so building them is part of the time. Prints one JSON object.
 */
const scenarios: readonly Scenario[] = [
  { kind: 'plain', nodes: 1_000, tasks: 1_000, services: 1 },
  { kind: 'plain', nodes: 1_000, tasks: 10_000, services: 10 },
  { kind: 'rich', nodes: 1_000, tasks: 10_000, services: 10 },
  { kind: 'plain', nodes: 5_000, tasks: 100_000, services: 100, limitMs: 150 },
  { kind: 'rich', nodes: 5_000, tasks: 100_000, services: 100, limitMs: 150 },
  { kind: 'distinct', nodes: 5_000, tasks: 100_000, services: 100 },
  { kind: 'plain', nodes: 100_000, tasks: 100_000, services: 1 },
  { kind: 'rich', nodes: 100_000, tasks: 100_000, services: 1 },
  { kind: 'plain', nodes: 100_000, tasks: 1_000_000, services: 100 },
  { kind: 'plain', nodes: 1_000, tasks: 1_000, services: 1_000 },
  { kind: 'rich', nodes: 1_000, tasks: 1_000, services: 1_000 },
  { kind: 'plain', nodes: 100_000, tasks: 1_000, services: 1_000, limitMs: 1_000 },
  { kind: 'rich', nodes: 100_000, tasks: 1_000, services: 1_000, limitMs: 1_000 },
  { kind: 'distinct', nodes: 100_000, tasks: 1_000, services: 1_000 },
];

const [runs = '5', filter = ''] = process.argv.slice(2);
const nameOf = ({ kind, nodes, tasks, services }: Scenario): string => `${kind}: ${nodes} nodes, ${tasks} tasks, ${services} services`;

const results = scenarios.filter((scenario) => nameOf(scenario).includes(filter)).map((scenario) => {
  const measured = Array.from({ length: Number(runs) }, () => measure(scenario));
  const timesMs = measured.map((run) => run.wallMs);
  const medianMs = median(timesMs);
  const { limitMs } = scenario;
  return {
    scenario: nameOf(scenario), medianMs: rounded(medianMs), minMs: rounded(Math.min(...timesMs)), maxMs: rounded(Math.max(...timesMs)), medianCpuMs: rounded(median(measured.map((run) => run.cpuMs))),
    microsecondsPerTask: rounded((medianMs * 1000) / scenario.tasks), ...(limitMs === undefined ? {} : { limitMs, isMet: medianMs <= limitMs }),
  };
});
console.log(JSON.stringify({ benchmark: 'scheduler decision', node: process.version, loadAverage: loadavg().map(rounded), runs: Number(runs), rssMiB: rounded(process.memoryUsage.rss() / 1024 ** 2), results }, null, 2));

/** CPU time is that of all threads, the collector's among them; it tells a busy machine from a slow program. */
function measure(scenario: Scenario): { wallMs: number; cpuMs: number } {
  const state = buildState(scenario);
  const work = state.pendingWork();
  globalThis.gc?.();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const { placements } = schedule(state, work, 0);
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (placements.length !== scenario.tasks) throw new Error(`${nameOf(scenario)}: only ${placements.length} placed`);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

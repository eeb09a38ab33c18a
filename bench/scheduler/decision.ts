import { schedule } from '../../scheduler/schedule.ts';
import type { Scenario } from './cluster.ts';
import { buildState, buildWork } from './cluster.ts';

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
  const timesMs = Array.from({ length: Number(runs) }, () => measure(scenario)).toSorted((a, b) => a - b);
  const medianMs = timesMs[Math.floor(timesMs.length / 2)] ?? Number.NaN;
  const { limitMs } = scenario;
  return {
    scenario: nameOf(scenario), medianMs: rounded(medianMs), minMs: rounded(timesMs[0] ?? Number.NaN), maxMs: rounded(timesMs.at(-1) ?? Number.NaN),
    microsecondsPerTask: rounded((medianMs * 1000) / scenario.tasks), ...(limitMs === undefined ? {} : { limitMs, isMet: medianMs <= limitMs }),
  };
});
console.log(JSON.stringify({ benchmark: 'scheduler decision', node: process.version, runs: Number(runs), rssMiB: rounded(process.memoryUsage.rss() / 1024 ** 2), results }, null, 2));

function measure(scenario: Scenario): number {
  const state = buildState(scenario);
  const work = buildWork(scenario);
  globalThis.gc?.();
  const startedAt = performance.now();
  const { placements } = schedule(state, work, 0);
  const tookMs = performance.now() - startedAt;
  if (placements.length !== scenario.tasks) throw new Error(`${nameOf(scenario)}: only ${placements.length} placed`);
  return tookMs;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

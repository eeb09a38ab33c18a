import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { LabHarness } from '../../test/e2e/support/lab-harness.ts';

// Memory and CPU of daemons that have nothing to do: prints one JSON object a node. `node bench/idle/run.ts [NODES]`

const NODES = Number(process.argv[2] ?? 2);
const SETTLE_MS = 20_000;
const WINDOW_MS = 30_000;
const CLOCK_TICKS_PER_SECOND = 100;
const TARGET_PERCENT = 1;

const round = (value: number): number => Math.round(value * 10) / 10;

type Memory = { readonly rssMib: number; readonly anonMib: number; readonly peakMib: number };

/** From /proc/PID/status; what is not anonymous is mostly the text of Node.js, which all daemons of a host share. */
function memory(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string): number => round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024);
  return { rssMib: mib('VmRSS'), anonMib: mib('RssAnon'), peakMib: mib('VmHWM') };
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

await using lab = await LabHarness.up({ name: 'idle', nodes: NODES, subnet: '10.98.0' });
const nodes = await lab.status();
await sleepMs(SETTLE_MS);
const before = nodes.map((node) => cpuSeconds(node.daemonPid));
await sleepMs(WINDOW_MS);
for (const [index, node] of nodes.entries()) {
  const isManager = node.index === 1;
  const share = (cpuSeconds(node.daemonPid) - (before[index] ?? Number.NaN)) / (WINDOW_MS / 1000);
  console.log(JSON.stringify({
    scenario: `idle daemon, ${isManager ? 'manager and agent' : 'agent'} of ${NODES} nodes`, ...memory(node.daemonPid), targetMib: isManager ? 110 : 80,
    cpuPercent: round(share * 100), targetPercent: TARGET_PERCENT, load: round(loadavg()[0] ?? Number.NaN), cpus: cpus().length,
  }));
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { LabHarness, runProgram } from '../../test/e2e/support/lab-harness.ts';

// Times of a command and of a daemon from start to use, with a warm compile cache: prints one JSON object a scenario. `node bench/start-up/run.ts [RUNS]`

const RUNS = Number(process.argv[2] ?? 9);
const POLL_MS = 2;
const orch = join(import.meta.dirname, '../../bin/orch');

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round = (value: number): number => Math.round(value * 10) / 10;

async function measure(scenario: string, run: () => Promise<number>, more: Record<string, unknown> = {}): Promise<void> {
  await run(); // the first fills caches
  const samples: number[] = [];
  for (let count = 0; count < RUNS; count += 1) samples.push(await run());
  console.log(JSON.stringify({ scenario, unit: 'ms', best: round(Math.min(...samples)), median: round(median(samples)), samples: samples.map(round), ...more, load: round(loadavg()[0] ?? Number.NaN), cpus: cpus().length }));
}

async function timeCommand(argv: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const startMs = performance.now();
  const ran = await runProgram(argv, { env });
  if (ran.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${ran.stderr}`);
  return performance.now() - startMs;
}

async function answers(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // not yet
  } finally {
    socket.destroy();
  }
}

/** A daemon on an empty directory, in namespaces of its own, until its API takes connections. */
async function timeDaemon(): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'orch-start-up-'));
  const startMs = performance.now();
  const child = spawn('unshare', ['-n', '-m', '-p', '--fork', '--kill-child', '--mount-proc', orch, 'daemon', '--data-dir', join(scratch, 'data'), '--run-dir', join(scratch, 'run')], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    while (!await answers(join(scratch, 'run/orch.sock'))) {
      if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
      await sleepMs(POLL_MS);
    }
    return performance.now() - startMs;
  } finally {
    child.kill('SIGKILL'); // and with it the whole pid namespace
    await ended;
    await rm(scratch, { recursive: true, force: true, maxRetries: 10 });
  }
}

await measure('node -e 0, what everything starts with', () => timeCommand([process.execPath, '-e', '0']));
await measure('orch --help', () => timeCommand([orch, '--help']), { target: 150 });
await measure('daemon start to API ready, empty node', timeDaemon);
await using lab = await LabHarness.up({ name: 'start-up', nodes: 1, subnet: '10.98.1' });
const { socket } = await lab.node(1);
await measure('orch service ls', () => timeCommand([orch, 'service', 'ls'], { ORCH_HOST: `unix://${socket}` }));

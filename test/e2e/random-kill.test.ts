import assert from 'node:assert/strict';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { seededRandom, type Random } from '../../base/random.ts';
import { errorCodes } from '../../model/errors.ts';
import { eventually, LabHarness } from './support/lab-harness.ts';

const ROUNDS = 32;
const NAMES = ['a', 'b', 'c'];
const MAX_REPLICAS = 6;
const MAX_DELAY_MS = 400;

/** What a service may look like: replica counts, undefined for no service. One entry when the last change was acknowledged, several when its answer was lost. */
type Possible = ReadonlySet<number | undefined>;

describe('a cluster whose daemons are killed at any moment', () => {
  let lab: LabHarness;
  before(async () => {
    lab = await LabHarness.up({ name: 'e2e-kill', nodes: 2, subnet: '10.96.0' });
    await lab.loadDemoImage('demo:1');
  });
  after(() => lab[Symbol.asyncDispose]());

  it(`keeps every acknowledged change and converges, over ${ROUNDS} kills`, async function () {
    this.timeout(400_000);
    const seed = Number(process.env['SEED'] ?? Math.floor(performance.timeOrigin) % 100_000);
    const random = seededRandom(seed);
    const expected = new Map<string, Possible>(NAMES.map((name) => [name, new Set([undefined])]));
    const history: string[] = [];
    try {
      for (let round = 0; round < ROUNDS; round += 1) history.push(await changeAndKill(lab, random, expected));
      for (const node of [1, 2]) await eventually(`the daemon of node ${node} answers`, async () => (await lab.on(node, [...(node === 1 ? ['node', 'ls'] : ['ps']), '-q'])).exitCode === 0);
      await eventually('all nodes are ready', async () => (await lab.nodes()).every((node) => node.Status.State === 'ready'));
      let total = 0;
      for (const [name, possible] of expected) total += await checkService(lab, name, possible);
      await eventually(`${total} containers run in all`, async () => (await Promise.all([1, 2].map((node) => lab.containers(node)))).flat().length === total);
    } catch (error) {
      throw new Error(`with SEED=${seed} after:\n${history.join('\n')}`, { cause: error });
    }
  });

  it('leaves nothing behind when all services are removed', async () => {
    const names = (await lab.services()).map((service) => service.Spec.Name);
    if (names.length > 0) await lab.onOrThrow(1, ['service', 'rm', ...names]);
    await eventually('no service, task, container, link or mount is left', async () => {
      if ((await lab.services()).length > 0) return false;
      const looks = await Promise.all([1, 2].map(async (node) => [
        (await lab.onOrThrow(node, ['ps', '-aq'])).trim(),
        (await lab.exec(node, ['sh', '-c', "ip -br link | grep '^og-'; grep -c '^overlay ' /proc/mounts; ls /run/orch/netns"])).stdout.trim(),
      ]));
      return looks.every(([containers, rest]) => containers === '' && rest === '0');
    });
  });
});

/** Starts one change, kills a daemon a random moment later, and notes what may have come of it. */
async function changeAndKill(lab: LabHarness, random: Random, expected: Map<string, Possible>): Promise<string> {
  const pick = (count: number): number => Math.floor(random.next() * count);
  const name = NAMES[pick(NAMES.length)] ?? 'a';
  const possible = expected.get(name) ?? new Set();
  const exists = [...possible].some((replicas) => replicas !== undefined);
  const replicas = pick(MAX_REPLICAS + 1);
  const removes = exists && pick(4) === 0;
  const args = removes ? ['service', 'rm', name] : exists ? ['service', 'scale', '--detach', `${name}=${replicas}`] : ['service', 'create', '--detach', '--name', name, '--replicas', String(replicas), '--restart-delay', '0s', 'demo:1'];
  const victim = pick(4) === 0 ? 2 : 1;
  const delayMs = Math.floor(random.next() * MAX_DELAY_MS);
  const { daemonPid } = await eventually('a daemon to kill', async () => {
    const node = await lab.node(victim);
    return node.daemonPid > 0 && (await lab.on(1, ['service', 'ls', '-q'])).exitCode === 0 && node;
  });
  const change = lab.on(1, args);
  await sleepMs(delayMs); // the moment of the kill is what is random here
  process.kill(daemonPid, 'SIGKILL');
  const ran = await change;
  const after = removes ? undefined : replicas;
  if (ran.exitCode === 0) expected.set(name, new Set([after]));
  else if (ran.exitCode === errorCodes.ORCH_NOT_FOUND.exit) expected.set(name, new Set([undefined]));
  else expected.set(name, new Set([...possible, after]));
  return `${args.join(' ')}; kill node ${victim} after ${delayMs} ms -> exit ${ran.exitCode} ${ran.stderr.trim().split('\n')[0] ?? ''}`;
}

/** The service is as acknowledged, and runs so; returns how many tasks that is. */
async function checkService(lab: LabHarness, name: string, possible: Possible): Promise<number> {
  const found = (await lab.services()).find((service) => service.Spec.Name === name);
  const replicas = found?.Spec.Mode?.Replicated?.Replicas;
  assert.ok(possible.has(replicas), `${name} has ${replicas ?? 'no'} replicas, but was left at ${[...possible].map((count) => count ?? 'none').join(' or ')}`);
  if (found) await lab.settled(name, replicas ?? 0);
  return replicas ?? 0;
}

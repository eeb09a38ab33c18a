import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { errorCodes } from '../../model/errors.ts';
import { eventually, LabHarness, type Ran } from './support/lab-harness.ts';

describe('what bad input gets', () => {
  let lab: LabHarness;
  before(async () => {
    lab = await LabHarness.up({ name: 'e2e-bad', nodes: 2, subnet: '10.93.0' });
    await lab.loadDemoImage('demo:1');
  });
  after(() => lab[Symbol.asyncDispose]());

  /** The command is refused with this exit code and sentence, prints nothing on standard output, and changes nothing. */
  async function refused(args: readonly string[], code: keyof typeof errorCodes, sentence: RegExp): Promise<void> {
    const before = await state();
    const ran = await lab.on(1, args);
    assert.deepEqual([ran.exitCode, ran.stdout], [errorCodes[code].exit, ''], describeRun(args, ran));
    assert.match(ran.stderr, sentence, describeRun(args, ran));
    assert.match(ran.stderr, /^orch: [A-Z"`-]/, 'begins with a sentence');
    assert.equal(await state(), before, 'nothing has changed');
  }

  const describeRun = (args: readonly string[], ran: Ran): string => `orch ${args.join(' ')} -> ${ran.exitCode}: ${ran.stdout}${ran.stderr}`;
  const state = async (): Promise<string> => JSON.stringify([(await lab.services()).map((service) => [service.ID, service.Version.Index]), (await lab.nodes()).map((node) => [node.ID, node.Spec])]);

  it('is refused for references, names, units and flags', async () => {
    const create = ['service', 'create', '--detach'];
    await refused([...create, '--name', 'a', 'Demo:1'], 'ORCH_INVALID', /"Demo:1" is not a valid image reference/);
    await refused([...create, '--name', 'not ok', 'demo:1'], 'ORCH_INVALID', /name/);
    await refused([...create, '--name', 'a', '--limit-memory', '12parsecs', 'demo:1'], 'ORCH_USAGE', /--limit-memory: "12parsecs" is not a valid size/);
    await refused([...create, '--name', 'a', '--restart-delay', 'soon', 'demo:1'], 'ORCH_USAGE', /--restart-delay: "soon" is not a valid duration/);
    await refused([...create, '--name', 'a', '--replicas', '-1', 'demo:1'], 'ORCH_USAGE', /--replicas must be a whole number of at least 0/);
    await refused([...create, '--name', 'a', '--limit-memory', '1m', 'demo:1'], 'ORCH_INVALID', /memory/i);
    await refused([...create, '--name', 'a', '--constraint', 'node.colour==blue', 'demo:1'], 'ORCH_INVALID', /node\.colour/);
    await refused([...create, '--name', 'a', '--mount', 'type=bind,target=/x', 'demo:1'], 'ORCH_INVALID', /mounts\[0\]\.source|source/);
    await refused([...create, '--name', 'a', '--publish', 'mode=host,target=0', 'demo:1'], 'ORCH_USAGE', /"0" is not a port/);
    await refused([...create, '--name', 'a', '--bogus', 'demo:1'], 'ORCH_USAGE', /has no flag --bogus/);
    await refused([...create], 'ORCH_USAGE', /needs IMAGE/);
    await refused(['service', 'rm', 'nobody'], 'ORCH_NOT_FOUND', /nobody/);
    await refused(['service', 'scale', 'nobody=3'], 'ORCH_NOT_FOUND', /nobody/);
    await refused(['service', 'logs', 'nobody'], 'ORCH_NOT_FOUND', /nobody/);
    await refused(['image', 'inspect', 'nothing:9'], 'ORCH_NOT_FOUND', /nothing:9/);
    await refused(['node', 'update', '--availability', 'asleep', 'n1'], 'ORCH_USAGE', /asleep/);
  });

  it('reports every problem of a spec at once', async () => {
    const ran = await lab.on(1, ['service', 'create', '--detach', '--name', 'a', '--limit-memory', '1m', '--constraint', 'nonsense', '--mount', 'type=bind,source=here,target=there', 'demo:1']);
    assert.equal(ran.exitCode, errorCodes.ORCH_INVALID.exit);
    for (const part of [/memory/i, /nonsense/, /there/]) assert.match(ran.stderr, part);
  });

  it('is refused by name for flags of Docker\'s that are not honoured', async () => {
    for (const flag of ['--secret=a', '--config=a', '--health-cmd=true', '--log-driver=syslog', '--with-registry-auth=true', '--generic-resource=gpu=1', '--endpoint-mode=dnsrr', '--isolation=process']) {
      const name = flag.split('=')[0] ?? '';
      await refused(['service', 'create', '--detach', '--name', 'a', flag, 'demo:1'], 'ORCH_UNSUPPORTED', new RegExp(`${name} is not supported: .+`));
    }
    await refused(['service', 'create', '--detach', '--name', 'a', '--publish', '8080:80', 'demo:1'], 'ORCH_UNSUPPORTED', /ingress/);
    await refused(['service', 'create', '--detach', '--name', 'a', '--network', 'backend', 'demo:1'], 'ORCH_UNSUPPORTED', /backend/);
  });

  it('does not take a name twice', async () => {
    await lab.onOrThrow(1, ['service', 'create', '--detach', '--name', 'taken', 'demo:1', 'sleep', '1000']);
    await refused(['service', 'create', '--detach', '--name', 'taken', 'demo:1'], 'ORCH_NAME_TAKEN', /"taken"/);
    await lab.onOrThrow(1, ['service', 'rm', 'taken']);
    await eventually('the name is free', async () => (await lab.services()).length === 0);
  });

  it('tells of an image that no node has and no registry gives', async () => {
    const ran = await lab.on(1, ['service', 'create', '--name', 'ghost', '--restart-delay', '1s', '127.0.0.1:1/ghost:1']);
    assert.equal(ran.exitCode, errorCodes.ORCH_NOT_CONVERGED.exit, ran.stderr);
    assert.match(ran.stderr, /ghost/);
    assert.match(ran.stderr, /0 of 1 tasks run/);
    const task = (await lab.tasks('ghost')).find((found) => found.Status.State === 'rejected');
    assert.match(task?.Status.Err ?? '', /127\.0\.0\.1:1\/ghost/);
    await lab.onOrThrow(1, ['service', 'rm', 'ghost']);
  });

  it('tells of a command that the image does not have', async () => {
    const ran = await lab.on(1, ['service', 'create', '--name', 'lost', '--restart-delay', '1s', 'demo:1', 'no-such-program']);
    assert.equal(ran.exitCode, errorCodes.ORCH_NOT_CONVERGED.exit, ran.stderr);
    assert.match(ran.stderr, /no-such-program/);
    await lab.onOrThrow(1, ['service', 'rm', 'lost']);
  });

  it('is told apart for every way in which joining fails', async () => {
    await lab.onOrThrow(2, ['leave']);
    const join = async (token: string, address: string): Promise<Ran> => lab.on(2, ['join', '--token', token, address]);
    const worker = (await lab.onOrThrow(1, ['token', '-q', 'worker'])).trim();
    const expectJoin = async (ran: Ran, code: keyof typeof errorCodes, sentence: RegExp): Promise<void> => {
      assert.equal(ran.exitCode, errorCodes[code].exit, ran.stderr);
      assert.match(ran.stderr, sentence);
      assert.match((await lab.onOrThrow(2, ['info'])), /none \(make one/);
    };
    await expectJoin(await join('nonsense', '10.93.0.1:2377'), 'ORCH_BAD_TOKEN', /token/i);
    await expectJoin(await join(worker.replace(/.$/, (last) => last === 'a' ? 'b' : 'a'), '10.93.0.1:2377'), 'ORCH_BAD_TOKEN', /token/i);
    const [prefix, version, digest = '', secret] = worker.split('-');
    await expectJoin(await join([prefix, version, `${digest.slice(0, -1)}${digest.endsWith('0') ? '1' : '0'}`, secret].join('-'), '10.93.0.1:2377'), 'ORCH_BAD_TOKEN', /not of the cluster at 10\.93\.0\.1:2377/);
    await expectJoin(await join(worker, '10.93.0.1:9'), 'ORCH_UNREACHABLE', /10\.93\.0\.1:9/);
    await lab.onOrThrow(1, ['token', '--rotate', '-q', 'worker']);
    await expectJoin(await join(worker, '10.93.0.1:2377'), 'ORCH_BAD_TOKEN', /rotated/);
    const fresh = (await lab.onOrThrow(1, ['token', '-q', 'worker'])).trim();
    assert.notEqual(fresh, worker);
    assert.equal((await join(fresh, '10.93.0.1:2377')).exitCode, 0);
    assert.equal((await join(fresh, '10.93.0.1:2377')).exitCode, errorCodes.ORCH_ALREADY_IN_CLUSTER.exit);
  });

  it('answers cluster commands on a worker as Docker does', async () => {
    await refusedOnWorker(['service', 'ls']);
    await refusedOnWorker(['node', 'ls']);
    assert.equal((await lab.on(2, ['images'])).exitCode, 0);
  });

  async function refusedOnWorker(args: readonly string[]): Promise<void> {
    const ran = await lab.on(2, args);
    assert.equal(ran.exitCode, errorCodes.ORCH_NOT_MANAGER.exit, ran.stderr);
    assert.match(ran.stderr, /manager/);
  }
});

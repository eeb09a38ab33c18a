import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { errorCodes } from '../../model/errors.ts';
import { eventually, LabHarness, runProgram } from './support/lab-harness.ts';

const NAME = 'e2e-lab';
const SUBNET = '10.90.0';
const ROOT = join('/var/lib/orch-lab', NAME);

const read = (path: string): string => { try { return readFileSync(path, 'utf8'); } catch { return ''; } };
const linkOf = (path: string): string => { try { return readlinkSync(path); } catch { return ''; } };
const pids = (): string[] => readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));

describe('a lab', () => {
  let lab: LabHarness;
  let hostLinks = '';
  before(async () => {
    hostLinks = read('/proc/net/dev').replaceAll(/:.*/g, '');
    lab = await LabHarness.up({ name: NAME, nodes: 3, subnet: SUBNET });
    await lab.loadDemoImage('demo:1');
  });
  after(() => lab[Symbol.asyncDispose]());

  it('tells of each node what scripts need', async () => {
    const nodes = await lab.status();
    assert.deepEqual(nodes.map(({ index, name, address, up }) => ({ index, name, address, up })), [1, 2, 3].map((index) => ({ index, name: `n${index}`, address: `${SUBNET}.${index}`, up: true })));
    for (const node of nodes) {
      assert.equal(node.dataDir, join(ROOT, node.name, 'data'));
      assert.ok(existsSync(join(node.dataDir, 'engine-id')), node.dataDir);
      for (const kind of ['pid', 'mnt', 'uts', 'ipc', 'net']) assert.notEqual(linkOf(`/proc/${node.initPid}/ns/${kind}`), linkOf(`/proc/self/ns/${kind}`), `${kind} of ${node.name}`);
      assert.match(read(`/proc/${node.daemonPid}/cmdline`).replaceAll('\0', ' '), /orch\.ts daemon/);
      const ran = await lab.orch(['--host', `unix://${node.socket}`, 'info', '--format', '{{.Name}}']);
      assert.deepEqual([ran.exitCode, ran.stdout.trim()], [0, node.name], ran.stderr);
    }
  });

  it('is started once, and refuses what it cannot be', async () => {
    const before = await lab.status();
    const refused = async (args: readonly string[], code: keyof typeof errorCodes, sentence: RegExp): Promise<void> => {
      const ran = await lab.orch(['lab', ...args]);
      assert.equal(ran.exitCode, errorCodes[code].exit, `${args.join(' ')}: ${ran.stderr}`);
      assert.match(ran.stderr, sentence);
    };
    await refused(['up', '--name', NAME, '--subnet', SUBNET], 'ORCH_NAME_TAKEN', /"e2e-lab" is already up/);
    await refused(['up', '--name', 'e2e-other', '--managers', '3'], 'ORCH_UNSUPPORTED', /one manager/);
    await refused(['up', '--name', 'e2e-other', '--nodes', '51'], 'ORCH_INVALID', /1 to 50/);
    await refused(['up', '--name', 'e2e-other', '--subnet', '10.90'], 'ORCH_INVALID', /"10\.90"/);
    await refused(['up', '--name', 'Not a name'], 'ORCH_INVALID', /"Not a name"/);
    await refused(['status', '--name', 'e2e-other'], 'ORCH_NOT_FOUND', /"e2e-other"/);
    await refused(['exec', '--name', NAME, '4', '--', 'true'], 'ORCH_NOT_FOUND', /has no node 4/);
    await refused(['cut', '--name', NAME, '1,2,3'], 'ORCH_INVALID', /one node or two/);
    await refused(['slow', '--name', NAME, '3', 'crawling'], 'ORCH_INVALID', /"crawling" is not a rate/);
    assert.deepEqual(await lab.status(), before);
    assert.ok(!existsSync('/var/lib/orch-lab/e2e-other'));
  });

  it('runs commands in a node and outside the cluster, with their exit codes', async () => {
    assert.deepEqual(await lab.exec(2, ['sh', '-c', 'hostname; exit 7']), { exitCode: 7, stdout: 'n2\n', stderr: '' });
    const client = await lab.outside(['sh', '-c', 'ip -4 -br addr show br0; exit 9']);
    assert.equal(client.exitCode, 9, client.stderr);
    assert.match(client.stdout, /10\.90\.0\.254\/24/);
    assert.equal(read('/proc/net/dev').replaceAll(/:.*/g, ''), hostLinks, 'the host got no link');
    assert.doesNotMatch((await runProgram(['ip', 'route'])).stdout, /10\.90\.0/);
  });

  it('gives containers the node\'s network, none, or a way out behind the node\'s address', async () => {
    const create = ['service', 'create', '--constraint', 'node.hostname==n2', '--stop-grace-period', '1s'];
    await lab.onOrThrow(1, [...create, '--name', 'on-host', '--network', 'host', 'demo:1', 'serve', '8081']);
    await lab.onOrThrow(1, [...create, '--name', 'alone', '--network', 'none', 'demo:1']);
    assert.equal(await networkOf('on-host'), (await lab.exec(2, ['readlink', '/proc/1/ns/net'])).stdout.trim(), 'the node\'s own');
    assert.match((await lab.outside(['curl', '-sS', '--max-time', '5', `http://${SUBNET}.2:8081/`])).stdout, /^Hello from /, 'bound on the node itself');
    const links = await lab.exec(2, ['nsenter', '-t', String(await pidOf('alone')), '-n', 'ip', '-br', 'link']);
    assert.match(links.stdout, /^lo\s+UNKNOWN\s.*\n$/, 'nothing but a loopback');
    // The other side answers with the address it is spoken to from.
    const answering = lab.outside([process.execPath, '-e', `const s = require('net').createServer((c) => { c.end(c.remoteAddress + '\\n'); s.close(); }).listen(9000, '${SUBNET}.254'); setTimeout(() => process.exit(1), 60000).unref();`]);
    await lab.onOrThrow(1, [...create, '--detach', '--restart-condition', 'none', '--name', 'caller', 'demo:1', 'sh', '-c', `until nc ${SUBNET}.254 9000 </dev/null; do sleep 0.1; done`]);
    const logs = await eventually('the container was answered', async () => (await lab.onOrThrow(1, ['service', 'logs', '--raw', 'caller'])).split('\n').find((line) => line.startsWith('10.')));
    assert.equal(logs, `${SUBNET}.2`);
    assert.equal((await answering).exitCode, 0);
    await lab.onOrThrow(1, ['service', 'rm', 'on-host', 'alone', 'caller']);
  });

  it('cuts two nodes off from each other alone, and joins them again', async () => {
    await lab.onOrThrow(1, ['service', 'create', '--name', 'web', '--mode', 'global', '--publish', 'mode=host,target=8080,published=8080', 'demo:1']);
    const reaches = async (from: number, to: number): Promise<boolean> => (await lab.exec(from, ['curl', '-sS', '--max-time', '1', '-o', '/dev/null', `http://${SUBNET}.${to}:8080/`])).exitCode === 0;
    const ways = async (): Promise<boolean[]> => Promise.all([reaches(1, 2), reaches(2, 1), reaches(1, 3), reaches(3, 1), reaches(2, 3), reaches(3, 2)]);
    await eventually('all reach all', async () => (await ways()).every(Boolean));
    await lab.lab('cut', '2,3');
    assert.deepEqual(await ways(), [true, true, true, true, false, false]);
    await lab.lab('heal');
    await eventually('all reach all again', async () => (await ways()).every(Boolean));
    assert.ok((await lab.nodes()).every((node) => node.Status.State === 'ready'), 'nobody lost the manager');
    await lab.onOrThrow(1, ['service', 'rm', 'web']);
  });

  it('slows a node down and lets it go again', async () => {
    const queue = async (): Promise<string> => (await lab.outside(['tc', 'qdisc', 'show', 'dev', 'v3', 'root'])).stdout;
    assert.doesNotMatch(await queue(), /tbf/);
    await lab.lab('slow', '3', '10mbit');
    assert.match(await queue(), /qdisc tbf .* rate 10Mbit /);
    await lab.lab('slow', '3', '2mbit');
    assert.match(await queue(), /rate 2Mbit /);
    await lab.lab('slow', '3', 'off');
    assert.doesNotMatch(await queue(), /tbf/);
  });

  it('leaves nothing when it is gone: no namespace, control group, mount, process, link or file', async () => {
    await lab.onOrThrow(1, ['service', 'create', '--name', 'web', '--replicas', '3', 'demo:1']);
    const nodes = await lab.status();
    const engineIds = nodes.map((node) => read(join(node.dataDir, 'engine-id')).trim());
    const groups = (): string[] => engineIds.flatMap((id) => globSync(`/sys/fs/cgroup/{,*/}orch/${id}`));
    const namespaces = new Set(nodes.flatMap((node) => ['net', 'mnt'].map((kind) => linkOf(`/proc/${node.initPid}/ns/${kind}`))));
    const inside = (): string[] => pids().filter((pid) => ['net', 'mnt'].some((kind) => namespaces.has(linkOf(`/proc/${pid}/ns/${kind}`))));
    assert.ok(groups().length > 0 && inside().length > 6, 'there is something to leave');
    await lab.lab('down');
    assert.deepEqual([groups(), inside()], [[], []]);
    assert.doesNotMatch((await runProgram(['ip', 'netns', 'list'])).stdout, /orch-e2e-lab/);
    assert.equal(read('/proc/net/dev').replaceAll(/:.*/g, ''), hostLinks);
    assert.ok(!read('/proc/self/mountinfo').includes(NAME));
    assert.ok(!existsSync(ROOT));
    assert.match(await lab.lab('down'), /There is no lab "e2e-lab"/, 'a second time does no harm');
  });

  /** Pid of the first process of the service's only task, as its node sees it. */
  async function pidOf(service: string): Promise<number> {
    const [task] = await lab.settled(service, 1);
    return task?.Status.ContainerStatus?.PID ?? assert.fail('no pid');
  }

  const networkOf = async (service: string): Promise<string> => (await lab.exec(2, ['readlink', `/proc/${await pidOf(service)}/ns/net`])).stdout.trim();
});

describe('a lab whose start was interrupted', () => {
  const name = 'e2e-half';
  it('is removed whole all the same', async () => {
    const orch = join(import.meta.dirname, '../../bin/orch');
    const nodes = (): string[] => pids().filter((pid) => read(`/proc/${pid}/cmdline`).includes(`/orch-lab/${name}/n`) && read(`/proc/${pid}/cmdline`).includes('init.sh'));
    const up = spawn(orch, ['lab', 'up', '--name', name, '--nodes', '2', '--subnet', '10.89.0'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => { up.on('close', resolve); });
    await eventually('a node has begun', async () => nodes().length > 0);
    up.kill('SIGKILL');
    await ended;
    const ran = await runProgram([orch, 'lab', 'down', '--name', name]);
    assert.equal(ran.exitCode, 0, ran.stderr);
    assert.deepEqual([nodes(), existsSync(`/var/lib/orch-lab/${name}`)], [[], false]);
    assert.doesNotMatch((await runProgram(['ip', 'netns', 'list'])).stdout, /orch-e2e-half/);
  });
});

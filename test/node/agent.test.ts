import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { ContainerSpec, PublishedPort, Revision } from '../../model/service.ts';
import { revision } from '../../model/testing.ts';
import { AgentLab } from '../support/agent-lab.ts';
import { NODE_ADDRESS } from '../support/network-lab.ts';

const forever = ['sleep', '1000'];
const busybox = (id: string, container: Partial<ContainerSpec>, ports: readonly PublishedPort[] = []): Revision =>
  revision({ id, ports, template: { container: { image: 'busybox', stopGraceMs: 200, command: [], ...container } } });

describe('an agent on a real node', function () {
  this.timeout(60_000);
  let lab: AgentLab;
  before(async () => {
    lab = await AgentLab.open();
    lab.manager.connect(lab.agent);
  });
  after(() => lab[Symbol.asyncDispose]());

  it('runs a task in the network that it says', async () => {
    lab.manager.assign('net', { revision: busybox('net', { command: forever }) });
    await lab.until(() => lab.stateOf('net') === 'running');
    const container = lab.manager.statuses.get('net')?.container;
    const [address = ''] = container?.addresses ?? [];
    assert.match(await lab.net.run(`/proc/${container?.pid}/ns/net`, 'ip', '-br', 'addr', 'show', 'eth0'), new RegExp(` ${address.replaceAll('.', '\\.')}`));
  });

  it('tells exit codes and output', async () => {
    lab.manager.assign('fails', { revision: busybox('fails', { command: ['sh', '-c', 'echo $WHO; exit 3'], env: ['WHO={{.Task.Name}}'] }) });
    await lab.until(() => lab.stateOf('fails') === 'failed');
    assert.deepEqual([lab.manager.statuses.get('fails')?.exitCode, lab.manager.statuses.get('fails')?.error], [3, 'task: non-zero exit (3)']);
    lab.manager.session.receive({ type: 'log-subscription', id: 'l1', taskId: 'fails', query: { stdout: true, stderr: true, follow: false, sinceMs: 0, untilMs: 0, tail: Infinity } });
    await lab.until(() => lab.manager.logs.get('l1')?.length === 1);
    assert.deepEqual(lab.manager.logs.get('l1'), ['web.1.fails']);
  });

  it('says why a command can\'t be started', async () => {
    lab.manager.assign('nope', { revision: busybox('nope', { command: ['/nope'] }) });
    await lab.until(() => lab.stateOf('nope') === 'failed');
    const { exitCode, error } = lab.manager.statuses.get('nope') ?? {};
    assert.equal(exitCode, 127);
    assert.match(error ?? '', /nope/);
  });

  it('gives a published port from one task to its successor, and keeps it across a restart', async () => {
    const ports: PublishedPort[] = [{ protocol: 'tcp', targetPort: 80, publishedPort: 8080, mode: 'host' }];
    const serving = (name: string): Revision => busybox(name, { command: ['sh', '-c', `while true; do echo ${name} | nc -l -p 80; done`] }, ports);
    const hears = async (name: string): Promise<void> => {
      let answer = '';
      for (let tries = 0; answer !== name && tries < 40; tries += 1) answer = await lab.net.ask(lab.net.outside, 'tcp', `${NODE_ADDRESS}:8080`);
      assert.equal(answer, name);
    };
    lab.manager.assign('old', { revision: serving('old') });
    await lab.until(() => lab.stateOf('old') === 'running');
    await hears('old');
    lab.manager.assign('new', { revision: serving('new'), desired: 'ready' });
    await lab.until(() => lab.stateOf('new') === 'ready');
    lab.manager.want('old', 'shutdown');
    lab.manager.want('new', 'running');
    await lab.until(() => lab.stateOf('new') === 'running');
    assert.equal(lab.stateOf('old'), 'shutdown');
    await hears('new');
    await lab.restart();
    await hears('new');
    lab.manager.connect(lab.agent);
    await lab.until(() => lab.stateOf('new') === 'running');
  });

  it('leaves nothing of deleted tasks', async () => {
    for (const id of ['net', 'fails', 'nope', 'old', 'new']) lab.manager.remove(id);
    await lab.until(() => lab.containers.engine.list().length === 0 && lab.network.attachments().length === 0);
    assert.deepEqual(await lab.net.leftovers(), { links: [], mounts: 0, ports: false });
  });
});

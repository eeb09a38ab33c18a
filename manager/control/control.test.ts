import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError, type ErrorCode } from '../../model/errors.ts';
import type { ServiceSpecOverrides } from '../../model/testing.ts';
import { testCluster } from '../testing.ts';

const fails = (code: ErrorCode, text: RegExp) => (error: unknown): boolean => {
  assert.ok(isOrchError(error, code), String(error));
  assert.match(`${error.message} | ${error.hint ?? ''}`, text);
  return true;
};
const port = { protocol: 'tcp', targetPort: 80, publishedPort: 8080 } as const;

describe('creating a service', () => {
  it('refuses a name that is taken', async () => {
    await using cluster = await testCluster();
    await cluster.createService();
    await assert.rejects(cluster.createService(), fails('ORCH_NAME_TAKEN', /Service "web" already exists/));
  });

  it('lists everything that is wrong with its spec', async () => {
    await using cluster = await testCluster();
    await assert.rejects(cluster.createService({ name: '-', replicas: -1 }), fails('ORCH_INVALID', /name: .*; mode\.replicas: /));
  });

  const unsupported: readonly (readonly [string, ServiceSpecOverrides, RegExp])[] = [
    ['networks that no node has', { template: { networks: [{ target: 'front', aliases: [] }] } }, /network "front"/],
    ['ports of the routing mesh', { endpoint: { mode: 'vip', ports: [{ ...port, mode: 'ingress' }] } }, /mode=ingress.*--publish mode=host,target=80,published=8080/],
    ['other ports than the node\'s own on its network', { endpoint: { mode: 'vip', ports: [{ ...port, mode: 'host', publishedPort: 81 }] }, template: { networks: [{ target: 'host', aliases: [] }] } }, /publishes port 80 as 81.*published=80/],
    ['ports without a network', { endpoint: { mode: 'vip', ports: [{ ...port, mode: 'host' }] }, template: { networks: [{ target: 'none', aliases: [] }] } }, /port 80, but has no network/],
    ['volumes', { template: { container: { mounts: [{ type: 'volume', source: 'data', target: '/data', readOnly: false }] } } }, /volume "data" at \/data/],
    ['health checks', { template: { container: { healthCheck: { test: ['CMD', 'true'] } } } }, /health check/],
    ['an init process', { template: { container: { init: true } } }, /init process/],
    ['an open standard input', { template: { container: { openStdin: true } } }, /standard input/],
  ];
  for (const [what, spec, text] of unsupported) {
    it(`refuses ${what} with a sentence`, async () => {
      await using cluster = await testCluster();
      await assert.rejects(cluster.createService(spec), fails('ORCH_UNSUPPORTED', text));
      assert.deepEqual(cluster.control.services(), []);
    });
  }

  it('takes host ports and the networks of every node', async () => {
    await using cluster = await testCluster();
    await cluster.createService({ endpoint: { mode: 'vip', ports: [{ ...port, mode: 'host', publishedPort: 80 }] }, template: { networks: [{ target: 'host', aliases: [] }] } });
    assert.equal(cluster.control.revision(cluster.service('web').revisionId)?.ports[0]?.targetPort, 80);
  });
});

describe('updating a service', () => {
  it('keeps the revision, and all tasks, when the containers stay the same', async () => {
    await using cluster = await testCluster();
    await cluster.createService();
    const before = cluster.service('web');
    await cluster.updateService('web', (spec) => ({ ...spec, labels: { tier: 'front' }, mode: { type: 'replicated', replicas: 2 } }));
    const after = cluster.service('web');
    assert.deepEqual([after.revisionId, after.updateStatus, after.previousSpec], [before.revisionId, undefined, before.spec]);
  });

  it('refuses a stale version, another name and another mode', async () => {
    await using cluster = await testCluster();
    await cluster.createService();
    const { id, version, spec } = cluster.service('web');
    const update = (change: Partial<typeof spec>, at = version): Promise<unknown> => cluster.control.updateService(id, at, { ...spec, ...change }, { rollback: false });
    await assert.rejects(update({}, version - 1), fails('ORCH_CONFLICT', /Service "web" has changed since version 0/));
    await assert.rejects(update({ name: 'other' }), fails('ORCH_UNSUPPORTED', /can't be renamed to "other"/));
    await assert.rejects(update({ mode: { type: 'global' } }), fails('ORCH_UNSUPPORTED', /can't change from replicated to global/));
    await assert.rejects(cluster.control.updateService('nothing', 1, spec, { rollback: false }), fails('ORCH_NOT_FOUND', /nothing/));
  });

  it('rolls back only to a spec that there was', async () => {
    await using cluster = await testCluster();
    await cluster.createService();
    const { id, version, spec } = cluster.service('web');
    await assert.rejects(cluster.control.updateService(id, version, spec, { rollback: true }), fails('ORCH_INVALID', /no previous spec/));
  });

  it('in the middle of an update keeps the spec from before it as the one to return to', async () => {
    await using cluster = await testCluster({ behaviours: { 'hang:1': { hangs: true } } });
    await cluster.createService({ replicas: 2 });
    const { revisionId } = cluster.service('web');
    await cluster.updateService('web', (spec) => ({ ...spec, template: { ...spec.template, container: { image: 'hang:1' } } }));
    await cluster.updateService('web', (spec) => ({ ...spec, mode: { type: 'replicated', replicas: 3 } }));
    assert.equal(cluster.service('web').previousRevisionId, revisionId);
  });
});

describe('removing a service', () => {
  it('hides it at once and frees its name, while its tasks stop', async () => {
    await using cluster = await testCluster({ behaviours: { 'web:1': { stopMs: 5_000 } } });
    const id = await cluster.createService();
    await cluster.removeService('web');
    assert.deepEqual(cluster.control.services(), []);
    assert.throws(() => cluster.control.service(id), fails('ORCH_NOT_FOUND', /Service/));
    await assert.rejects(cluster.control.removeService(id), fails('ORCH_NOT_FOUND', /Service/));
    assert.equal(cluster.control.tasks().length, 1);
    await cluster.createService();
  });
});

describe('references', () => {
  it('are ids, names and beginnings of ids; what means several objects is refused with a list', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    const id = await cluster.createService({ replicas: 40 });
    assert.equal(cluster.control.service('web').id, id);
    assert.equal(cluster.control.service(id.slice(0, 12)).id, id);
    assert.equal(cluster.control.node('n2').spec.name, 'n2');
    const [task] = cluster.control.tasks();
    assert.ok(task);
    assert.equal(cluster.control.task(task.id).id, task.id);
    assert.equal(cluster.control.task(`web.${task.slot}.${task.id}`).id, task.id);
    const first = Map.groupBy(cluster.control.tasks(), (each) => each.id.slice(0, 1));
    const [prefix = ''] = [...first].find(([, tasks]) => tasks.length > 1) ?? [];
    assert.throws(() => cluster.control.task(prefix), fails('ORCH_INVALID', /means \d+ of them: .*Use the full id/));
    for (const lookUp of [() => cluster.control.service(''), () => cluster.control.node('n3'), () => cluster.control.task('-')]) assert.throws(lookUp, fails('ORCH_NOT_FOUND', /does not exist/));
  });
});

describe('nodes', () => {
  it('are removed only when they are down, or by force, and never as managers', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    const remove = (name: string, force = false): Promise<void> => cluster.control.removeNode(cluster.node(name).id, { force });
    await assert.rejects(remove('n1'), fails('ORCH_IN_USE', /Node "n1" is ready, not down/));
    cluster.agent('n1').goodbye();
    await cluster.settle();
    const { id } = cluster.node('n1');
    await remove('n1');
    assert.ok(cluster.store.view((view) => view.blockedNode.get(id)));
    await assert.rejects(cluster.updateNode('n2', { role: 'manager' }), fails('ORCH_UNSUPPORTED', /can't become a manager/));
    await cluster.setRole('n2', 'manager');
    await assert.rejects(remove('n2', true), fails('ORCH_IN_USE', /is a manager/));
    await assert.rejects(cluster.updateNode('n2', { role: 'worker' }), fails('ORCH_IN_USE', /the last manager/));
  });

  it('change at the version that was read', async () => {
    await using cluster = await testCluster();
    const { id, version, spec } = cluster.node('n1');
    await cluster.control.updateNode(id, version, { ...spec, labels: { disk: 'ssd' } });
    await assert.rejects(cluster.control.updateNode(id, version, spec), fails('ORCH_CONFLICT', /Node "n1" has changed/));
  });
});

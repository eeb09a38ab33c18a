import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { node, revision, service, serviceSpec, task } from '../../model/testing.ts';
import { assertDocker } from '../../test/support/docker-reference.ts';
import { dockerServiceSpec } from '../convert/service-spec.ts';
import { testApi } from '../testing.ts';

const auth = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('the service endpoints', () => {
  it('find services by id, name, mode and label', async () => {
    await using under = await testApi();
    under.control.serviceList = [service({ id: 'aaa1', spec: { name: 'web', labels: { tier: 'front' } } }), service({ id: 'bbb2', spec: { name: 'watch', mode: { type: 'global' } } })];
    const names = async (filters: object): Promise<string[]> => {
      const list = (await under.api.inject(`/services?filters=${encodeURIComponent(JSON.stringify(filters))}`)).json();
      assertDocker('Service[]', list);
      return list.map(({ Spec }: { Spec: { Name: string } }) => Spec.Name);
    };
    assert.deepEqual(await names({ name: ['w'] }), ['web', 'watch']);
    assert.deepEqual(await names({ id: ['aaa'] }), ['web']);
    assert.deepEqual(await names({ mode: ['global'] }), ['watch']);
    assert.deepEqual(await names({ label: ['tier=front'] }), ['web']);
  });

  it('name a service that was given no name', async () => {
    await using under = await testApi();
    const response = await under.api.inject({ method: 'POST', url: '/services/create', payload: { TaskTemplate: { ContainerSpec: { Image: 'web:1' } } } });
    assert.equal(response.statusCode, 201);
    assert.match(under.control.serviceList[0]?.spec.name ?? '', /^[a-z]+_[a-z]+$/);
  });

  it('say that a name is taken, with the hint of the control plane', async () => {
    await using under = await testApi();
    under.control.serviceList = [service()];
    const response = await under.api.inject({ method: 'POST', url: '/services/create', payload: dockerServiceSpec(serviceSpec()) });
    assert.equal(response.statusCode, 409);
    assert.deepEqual(response.json(), { message: 'Service "web" already exists', code: 'ORCH_NAME_TAKEN', hint: 'Use `orch service update`' });
  });

  it('update from a version, roll back, and remove', async () => {
    await using under = await testApi();
    const current = service({ id: 'aaa1', version: 7, updateStatus: { state: 'rollback-started', startedAtMs: 1_700_000_000_000, message: 'undoing' } });
    under.control.serviceList = [current];
    const changed = serviceSpec({ replicas: 9 });
    const updated = await under.api.inject({ method: 'POST', url: '/services/web/update?version=7&registryAuthFrom=spec', payload: dockerServiceSpec(changed) });
    assertDocker('ServiceUpdateResponse', updated.json());
    await under.api.inject({ method: 'POST', url: '/services/aaa1/update?version=7&rollback=previous', payload: {} });
    await under.api.inject({ method: 'DELETE', url: '/services/web' });
    assert.deepEqual(under.control.calls, [
      { name: 'updateService', args: ['aaa1', 7, changed, { rollback: false }] },
      { name: 'updateService', args: ['aaa1', 7, current.spec, { rollback: true }] },
      { name: 'removeService', args: ['aaa1'] },
    ]);
    assert.equal((await under.api.inject({ method: 'POST', url: '/services/web/update?version=x', payload: {} })).statusCode, 400);
    assert.equal((await under.api.inject({ method: 'POST', url: '/services/web/update?version=7&rollback=twice', payload: {} })).statusCode, 400);
    assert.equal((await under.api.inject('/services/web')).json().UpdateStatus.State, 'rollback_started');
  });

});

describe('the service endpoints refuse', () => {
  it('credentials that no node would get, but not a header without any', async () => {
    await using under = await testApi();
    const create = async (header: string): Promise<number> =>
      (await under.api.inject({ method: 'POST', url: '/services/create', payload: dockerServiceSpec(serviceSpec()), headers: { 'x-registry-auth': header } })).statusCode;
    assert.equal(await create(auth({ username: 'u', password: 'p' })), 501);
    assert.equal(await create(auth({ identitytoken: 't' })), 501);
    assert.equal(await create(auth({ serveraddress: 'registry.lan' })), 201);
  });

  it('a body that is no JSON or says to be something else', async () => {
    await using under = await testApi();
    const create = async (payload: string, type: string): Promise<{ statusCode: number; message: string }> => {
      const response = await under.api.inject({ method: 'POST', url: '/services/create', payload, headers: { 'content-type': type } });
      return { statusCode: response.statusCode, message: response.json().message };
    };
    assert.deepEqual(await create('{}', 'text/plain'), { statusCode: 400, message: 'unsupported Content-Type header (text/plain): must be \'application/json\'' });
    assert.match((await create('{"Name":', 'application/json')).message, /^The body of the request is not JSON: /);
    assert.match((await create('', 'application/json')).message, /TaskTemplate: must be given/);
    assert.match((await create(' '.repeat(9 * 1024 ** 2), 'application/json')).message, /larger than 8388608 bytes/);
  });
});

describe('the task endpoints', () => {
  const container = { id: 'c'.repeat(64), pid: 42, addresses: ['10.200.3.5/24'] };
  const tasks = [
    task({ id: 'task1', nodeId: 'node1', state: 'running', status: { container, atMs: 1_700_000_000_123, ports: [{ protocol: 'tcp', targetPort: 80, publishedPort: 8080 }] } }),
    task({ id: 'task2', nodeId: 'node2', slot: 2, state: 'failed', desired: 'shutdown', revisionId: 'revision0', status: { error: 'exit 1', exitCode: 1, container } }),
    task({ id: 'task3', serviceId: 'service2', slot: 0, nodeId: 'node1' }),
  ];

  async function withTasks(): ReturnType<typeof testApi> {
    const under = await testApi();
    under.control.taskList = [...tasks];
    under.control.serviceList = [service({ spec: { labels: { stack: 's' } } }), service({ id: 'service2', spec: { name: 'agent', mode: { type: 'global' } } })];
    under.control.revisionList = [revision()];
    under.control.nodeList = [node({ id: 'node1', hostname: 'alpha' }), node({ id: 'node2', hostname: 'beta' })];
    return under;
  }

  const filters: readonly (readonly [filters: object, ids: readonly string[]])[] = [
    [{}, ['task1', 'task2', 'task3']], [{ id: ['task2'] }, ['task2']], [{ service: ['web'] }, ['task1', 'task2']], [{ node: ['beta'] }, ['task2']], [{ node: ['self'] }, ['task1', 'task3']],
    [{ name: ['web.2'] }, ['task2']], [{ 'desired-state': ['running'] }, ['task1', 'task3']], [{ label: ['stack=s'] }, ['task1', 'task2']], [{ service: ['web'], '_up-to-date': ['true'] }, ['task1']],
  ];
  for (const [filter, ids] of filters) {
    it(`list tasks by ${JSON.stringify(filter)}`, async () => {
      await using under = await withTasks();
      const list = (await under.api.inject(`/tasks?filters=${encodeURIComponent(JSON.stringify(filter))}`)).json();
      assertDocker('Task[]', list);
      assert.deepEqual(list.map(({ ID }: { ID: string }) => ID), ids);
    });
  }

  it('refuse filters for what does not exist', async () => {
    await using under = await withTasks();
    const status = async (filter: object): Promise<number> => (await under.api.inject(`/tasks?filters=${encodeURIComponent(JSON.stringify(filter))}`)).statusCode;
    assert.equal(await status({ service: ['other'] }), 404);
    assert.equal(await status({ 'desired-state': ['asleep'] }), 400);
  });

  it('show a task with its template, container, ports and addresses', async () => {
    await using under = await withTasks();
    const shown = (await under.api.inject('/tasks/task1')).json();
    assertDocker('Task', shown);
    assert.equal(shown.Name, 'web.1.task1');
    assert.equal(shown.Spec.ContainerSpec.Image, 'web:1');
    assert.deepEqual(shown.Status, {
      Timestamp: '2023-11-14T22:13:20.123Z', State: 'running', Message: '', ContainerStatus: { ContainerID: container.id, PID: 42, ExitCode: 0 },
      PortStatus: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' }] },
    });
    assert.deepEqual(shown.NetworksAttachments, [{ Network: { ID: 'bridge', Spec: { Name: 'bridge' } }, Addresses: ['10.200.3.5/24'] }]);
    assert.equal((await under.api.inject('/tasks/task9')).statusCode, 404);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { serviceSpec } from '../model/testing.ts';
import { assertDocker, referenceMissing } from '../test/support/docker-reference.ts';
import { dockerServiceSpec } from './convert/service-spec.ts';
import { testApi } from './testing.ts';

describe('HTTP API', () => {
  before(() => { if (referenceMissing) process.stderr.write(`shapes are not checked: ${referenceMissing}\n`); });

  it('answers a ping with the headers that clients negotiate by', async () => {
    await using under = await testApi();
    for (const method of ['GET', 'HEAD'] as const) {
      const response = await under.api.inject({ method, url: '/_ping' });
      assert.equal(response.statusCode, 200);
      assert.equal(response.body, method === 'GET' ? 'OK' : '');
      assert.equal(response.headers['api-version'], '1.56');
      assert.equal(response.headers['ostype'], 'linux');
      assert.equal(response.headers['swarm'], 'active/manager');
      assert.equal(response.headers['server'], 'orch/0.1.0 (linux)');
    }
  });

  it('describes itself as Docker does', async () => {
    await using under = await testApi();
    assertDocker('SystemVersion', (await under.api.inject('/v1.41/version')).json());
    const info = (await under.api.inject('/info')).json();
    assertDocker('SystemInfo', info);
    assert.equal(info.Swarm.ControlAvailable, true);
  });

  it('creates, lists and inspects a service', async () => {
    await using under = await testApi();
    const spec = serviceSpec({ replicas: 3, labels: { tier: 'front' } });
    const created = await under.api.inject({ method: 'POST', url: '/v1.44/services/create', payload: dockerServiceSpec(spec) });
    assert.equal(created.statusCode, 201, created.body);
    assertDocker('ServiceCreateResponse', created.json());
    assert.deepEqual(under.control.calls, [{ name: 'createService', args: [spec] }]);

    const list = (await under.api.inject('/services?status=true')).json();
    assertDocker('Service[]', list);
    assert.deepEqual(list[0].ServiceStatus, { RunningTasks: 2, DesiredTasks: 3, CompletedTasks: 0 });
    const inspected = (await under.api.inject('/services/web')).json();
    assertDocker('Service', inspected);
    assert.equal(inspected.Spec.Labels.tier, 'front');
  });

  it('shows the cluster to managers only', async () => {
    await using under = await testApi();
    const swarm = await under.api.inject('/swarm');
    assertDocker('Swarm', swarm.json());
    under.membership.controlPlane = undefined;
    under.membership.current = { ...under.membership.current, role: 'worker' };
    const refused = await under.api.inject('/swarm');
    assert.equal(refused.statusCode, 503);
    assert.equal(refused.headers['content-type'], 'application/json'); // with a charset, Docker's CLI shows the whole body
    assertDocker('ErrorResponse', refused.json());
    assert.match(refused.json().message, /^This node is not a swarm manager\. Worker nodes/);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { defaultClusterSpec } from '../../model/cluster.ts';
import { node } from '../../model/testing.ts';
import { assertDocker } from '../../test/support/docker-reference.ts';
import { testApi } from '../testing.ts';

/** What Docker's own CLI sends for `docker swarm init` without flags. */
const dockerCliInit = {
  ListenAddr: '0.0.0.0:2377', AdvertiseAddr: '', DataPathAddr: '', DataPathPort: 0, DefaultAddrPool: [], ForceNewCluster: false,
  Spec: { Labels: null, Orchestration: {}, Raft: { ElectionTick: 0, HeartbeatTick: 0 }, Dispatcher: {}, CAConfig: {}, TaskDefaults: {}, EncryptionConfig: { AutoLockManagers: false } },
  AutoLockManagers: false, Availability: 'active', SubnetSize: 0,
};

describe('the swarm endpoints', () => {
  it('make a cluster and answer the id of the node as JSON text', async () => {
    await using under = await testApi();
    const response = await under.api.inject({ method: 'POST', url: '/swarm/init', payload: dockerCliInit });
    assert.equal(response.json(), 'node1');
    await under.api.inject({ method: 'POST', url: '/swarm/init', payload: {
      AdvertiseAddr: '192.0.2.1', DefaultAddrPool: ['10.9.0.0/16'], Availability: 'drain', Spec: { Orchestration: { TaskHistoryRetentionLimit: -1 }, Dispatcher: { HeartbeatPeriod: 2e9 }, CAConfig: { NodeCertExpiry: 3_600e9 } },
    } });
    assert.deepEqual(under.membership.calls, [
      { name: 'init', args: [{ listenAddress: '0.0.0.0:2377', advertiseAddress: '', availability: 'active', forceNewCluster: false, spec: {} }] },
      { name: 'init', args: [{ listenAddress: '0.0.0.0:2377', advertiseAddress: '192.0.2.1', availability: 'drain', forceNewCluster: false, spec: { taskHistoryLimit: -1, heartbeatPeriodMs: 2_000, certificateLifeMs: 3_600_000, bridgePool: '10.9.0.0/16' } }] },
    ]);
  });

  it('refuse what orch does not do', async () => {
    await using under = await testApi();
    for (const payload of [{ AutoLockManagers: true }, { DataPathPort: 5000 }, { DataPathAddr: 'eth1' }, { SubnetSize: 26 }, { Spec: { Raft: { SnapshotInterval: 5 } } }, { Spec: { CAConfig: { ExternalCAs: [{}] } } }, { DefaultAddrPool: ['10.0.0.0/16', '10.1.0.0/16'] }]) {
      const response = await under.api.inject({ method: 'POST', url: '/swarm/init', payload });
      assert.equal(response.statusCode, 501, JSON.stringify(payload));
      assertDocker('ErrorResponse', response.json());
    }
    assert.deepEqual(under.membership.calls, []);
  });

  it('join and leave a cluster', async () => {
    await using under = await testApi();
    const join = { ListenAddr: '0.0.0.0:2377', RemoteAddrs: ['192.0.2.7:2377'], JoinToken: 'ORCHTKN-1-x-y' };
    assert.equal((await under.api.inject({ method: 'POST', url: '/swarm/join', payload: join })).statusCode, 200);
    assert.equal((await under.api.inject({ method: 'POST', url: '/swarm/leave?force=true' })).statusCode, 200);
    assert.deepEqual(under.membership.calls, [
      { name: 'join', args: [{ token: 'ORCHTKN-1-x-y', managerAddresses: ['192.0.2.7:2377'], advertiseAddress: '', listenAddress: '0.0.0.0:2377', availability: 'active' }] },
      { name: 'leave', args: [{ force: true }] },
    ]);
    const empty = (await under.api.inject({ method: 'POST', url: '/swarm/join', payload: {} })).json();
    assert.deepEqual(empty.details, { JoinToken: 'must be given', RemoteAddrs: 'must name at least one manager' });
  });

  it('change only what an update names, and rotate tokens', async () => {
    await using under = await testApi();
    const response = await under.api.inject({ method: 'POST', url: '/swarm/update?version=3&rotateWorkerToken=1', payload: { Orchestration: { TaskHistoryRetentionLimit: 2 } } });
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(under.control.calls, [{ name: 'updateCluster', args: [3, { ...defaultClusterSpec, taskHistoryLimit: 2 }, { workerToken: true, managerToken: false }] }]);
    assert.equal((await under.api.inject({ method: 'POST', url: '/swarm/update', payload: {} })).statusCode, 400);
    assert.equal((await under.api.inject({ method: 'POST', url: '/swarm/update?version=3&rotateManagerUnlockKey=1', payload: {} })).statusCode, 501);
  });

});

describe('a node in no cluster', () => {
  it('let a heartbeat period that was set adapt again', async () => {
    await using under = await testApi();
    under.control.current = { ...under.control.current, spec: { ...defaultClusterSpec, heartbeatPeriodMs: 2_000 } };
    for (const payload of [{}, { Dispatcher: {} }, { Dispatcher: { HeartbeatPeriod: 0 } }]) await under.api.inject({ method: 'POST', url: '/swarm/update?version=3', payload });
    assert.deepEqual(under.control.calls.map(({ args }) => args[1]), [2_000, 2_000, 0].map((heartbeatPeriodMs) => ({ ...defaultClusterSpec, heartbeatPeriodMs })));
  });

  it('says how it gets into one', async () => {
    await using under = await testApi();
    under.membership.controlPlane = undefined;
    under.membership.current = { localState: 'inactive', error: '', nodeId: '', nodeAddress: '', managers: [] };
    for (const url of ['/swarm', '/nodes', '/services', '/tasks', '/services/web/logs?stdout=1']) {
      const response = await under.api.inject(url);
      assert.equal(response.statusCode, 503);
      assert.match(response.json().message, /^This node is not a swarm manager\. Use "docker swarm init"/);
    }
    const info = (await under.api.inject('/info')).json();
    assertDocker('SystemInfo', info);
    assert.equal(info.Swarm.LocalNodeState, 'inactive');
    assert.equal((await under.api.inject('/_ping')).headers['swarm'], 'inactive');
    assert.deepEqual((await under.api.inject('/orch/v1/status')).json(), { nodeId: '', state: 'inactive', version: '0.1.0' });
  });
});

describe('the node endpoints', () => {
  it('list nodes by what is known of them', async () => {
    await using under = await testApi();
    under.control.nodeList = [node({ id: 'node1', role: 'manager', hostname: 'alpha', labels: { zone: 'a' } }), node({ id: 'node2', name: 'beta', engineLabels: { disk: 'ssd' } }), node({ id: 'node3', described: false, state: 'unknown' })];
    const ids = async (filters?: object): Promise<string[]> => {
      const list = (await under.api.inject(`/nodes${filters ? `?filters=${encodeURIComponent(JSON.stringify(filters))}` : ''}`)).json();
      assertDocker('Node[]', list);
      return list.map(({ ID }: { ID: string }) => ID);
    };
    assert.deepEqual(await ids(), ['node1', 'node2', 'node3']);
    assert.deepEqual(await ids({ role: ['manager'] }), ['node1']);
    assert.deepEqual(await ids({ name: ['be', 'al'] }), ['node1', 'node2']);
    assert.deepEqual(await ids({ 'node.label': ['zone=a'] }), ['node1']);
    assert.deepEqual(await ids({ label: ['disk'] }), ['node2']);
    assert.deepEqual(await ids({ membership: ['pending'] }), []);
  });

  it('inspect, update and remove a node by name, id or self', async () => {
    await using under = await testApi();
    under.control.nodeList = [node({ id: 'node1', role: 'manager', hostname: 'alpha' }), node({ id: 'node2', name: 'beta' })];
    const own = (await under.api.inject('/nodes/self')).json();
    assertDocker('Node', own);
    assert.equal(own.ManagerStatus.Leader, true);
    assert.equal(own.Description.Platform.Architecture, 'x86_64');
    assert.equal((await under.api.inject({ method: 'POST', url: '/nodes/beta/update?version=1', payload: { Role: 'manager', Availability: 'drain', Labels: { a: 'b' } } })).statusCode, 200);
    assert.equal((await under.api.inject({ method: 'DELETE', url: '/nodes/beta?force=1' })).statusCode, 200);
    assert.deepEqual(under.control.calls, [
      { name: 'updateNode', args: ['node2', 1, { name: '', labels: { a: 'b' }, role: 'manager', availability: 'drain' }] },
      { name: 'removeNode', args: ['node2', { force: true }] },
    ]);
    const missing = (await under.api.inject({ method: 'POST', url: '/nodes/beta/update?version=1', payload: {} })).json();
    assert.deepEqual(missing.details, { Role: 'must be given', Availability: 'must be given' });
    assert.equal((await under.api.inject('/nodes/gamma')).statusCode, 404);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { commands } from '../commands.ts';
import { runCommandLine } from '../main.ts';
import { FakeApiClient, printed, testContext } from '../testing.ts';

const node = (id: string, over: object = {}) => ({
  ID: id, Version: { Index: 4 }, Spec: { Name: '', Labels: { disk: 'ssd' }, Role: 'worker', Availability: 'active' },
  Description: { Hostname: `host-${id}`, Engine: { EngineVersion: '0.1.0' } }, Status: { State: 'ready', Addr: '10.0.0.1' }, ...over,
});
const daemon = () => new FakeApiClient({
  'GET /nodes': [node('n10'), node('n2'), node('n1', { ManagerStatus: { Leader: true } })], 'GET /info': { Swarm: { NodeID: 'n1' } },
  'GET /nodes/n2': node('n2'), 'GET /nodes/n1': node('n1'), 'POST /nodes/n2/update': undefined, 'DELETE /nodes/n2': undefined,
});
const run = (client: FakeApiClient, text: string) => printed(runCommandLine(commands, text.split(' '), () => testContext(client)));

describe('node ls', () => {
  it('lists nodes in the order people count, with a star at this one', async () => {
    const lines = (await run(daemon(), 'node ls')).stdout.split('\n');
    assert.deepEqual(lines.map((line) => line.split(/ {2,}/).slice(0, 5)), [
      ['ID', 'HOSTNAME', 'STATUS', 'AVAILABILITY', 'MANAGER STATUS'], ['n1 *', 'host-n1', 'Ready', 'Active', 'Leader'], ['n2', 'host-n2', 'Ready', 'Active', '10.0.0.1'], ['n10', 'host-n10', 'Ready', 'Active', '10.0.0.1'],
    ]);
  });

  it('prints plain ids for scripts', async () => {
    assert.equal((await run(daemon(), 'node ls -q')).stdout, 'n1\nn2\nn10');
    assert.equal((await run(daemon(), 'node ls --format {{.ID}}={{.Self}}')).stdout, 'n1=true\nn2=false\nn10=false');
  });

  it('hands filters to the daemon', async () => {
    const client = daemon();
    await run(client, 'node ls --filter role=worker --filter role=manager');
    assert.ok(client.calls.includes(`GET /nodes?filters=${encodeURIComponent('{"role":{"worker":true,"manager":true}}')}`), client.calls.join());
  });
});

describe('node update', () => {
  const sent = async (text: string) => {
    const client = daemon();
    const { error } = await run(client, text);
    assert.equal(error, undefined);
    assert.equal(client.calls.at(-1), 'POST /nodes/n2/update?version=4');
    return client.requests.at(-1)?.body;
  };

  it('changes what is named and keeps the rest', async () => {
    assert.deepEqual(await sent('node update --label-add zone=a --availability drain n2'), { Name: '', Labels: { disk: 'ssd', zone: 'a' }, Role: 'worker', Availability: 'drain' });
    assert.deepEqual(await sent('node update --label-rm disk --label-add x n2'), { Name: '', Labels: { x: '' }, Role: 'worker', Availability: 'active' });
    assert.deepEqual(await sent('node promote n2'), { Name: '', Labels: { disk: 'ssd' }, Role: 'manager', Availability: 'active' });
  });

  it('says when a label to remove is not there', async () => {
    const { error } = await run(daemon(), 'node update --label-rm zone n2');
    assert.ok(isOrchError(error, 'ORCH_NOT_FOUND'));
    assert.equal(error.message, 'Node n2 has no label "zone"');
  });
});

describe('node rm and inspect', () => {
  it('know this node as self', async () => {
    const client = daemon();
    assert.equal((await run(client, 'node inspect self --format {{.ID}}')).stdout, 'n1');
    assert.equal((await run(client, 'node rm --force n2')).stdout, 'n2');
    assert.equal(client.calls.at(-1), 'DELETE /nodes/n2?force=true');
  });

  it('say that there is no cluster where there is none', async () => {
    const client = new FakeApiClient({ 'GET /info': { Swarm: { NodeID: '' } } });
    assert.ok(isOrchError((await run(client, 'node inspect self')).error, 'ORCH_NOT_MANAGER'));
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { commands } from '../commands.ts';
import { runCommandLine } from '../main.ts';
import { FakeApiClient, printed, testContext } from '../testing.ts';

const swarm = { ID: 'c1', Version: { Index: 9 }, JoinTokens: { Worker: 'ORCHTKN-1-w', Manager: 'ORCHTKN-1-m' }, Spec: { Name: 'default', Orchestration: { TaskHistoryRetentionLimit: 5 } } };
const daemon = () => new FakeApiClient({
  'POST /swarm/init': 'node1', 'GET /swarm': swarm, 'GET /info': { Swarm: { RemoteManagers: [{ Addr: '10.0.0.1:2377' }] } }, 'POST /swarm/join': undefined, 'POST /swarm/leave': undefined, 'POST /swarm/update': undefined,
});
const run = (client: FakeApiClient, ...words: readonly string[]) => printed(runCommandLine(commands, words, () => testContext(client)));

describe('init', () => {
  it("sends Docker's request, and prints the command that joins a node", async () => {
    const client = daemon();
    const out = await run(client, 'init', '--advertise-addr', '10.0.0.1', '--cert-expiry', '1h', '--task-history-limit', '2');
    assert.deepEqual(client.requests[0]?.body, {
      ListenAddr: '0.0.0.0:2377', AdvertiseAddr: '10.0.0.1', Availability: 'active', Spec: { Orchestration: { TaskHistoryRetentionLimit: 2 }, CAConfig: { NodeCertExpiry: 3_600_000_000_000 } },
    });
    assert.match(out.stdout, /\n {4}orch join --token ORCHTKN-1-w 10\.0\.0\.1:2377\n$/);
  });
});

describe('join', () => {
  it('takes the token from the command line or a file, and needs one', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'orch-token-'));
    try {
      await writeFile(join(directory, 'token'), 'ORCHTKN-1-f\n');
      for (const [flag, value, token] of [['--token', 'ORCHTKN-1-w', 'ORCHTKN-1-w'], ['--token-file', join(directory, 'token'), 'ORCHTKN-1-f']] as const) {
        const client = daemon();
        assert.equal((await run(client, 'join', flag, value, '10.0.0.1:2377')).error, undefined);
        assert.deepEqual(client.requests[0]?.body, { JoinToken: token, RemoteAddrs: ['10.0.0.1:2377'], ListenAddr: '0.0.0.0:2377', AdvertiseAddr: '', Availability: 'active' });
      }
    } finally {
      await rm(directory, { recursive: true });
    }
    assert.ok(isOrchError((await run(daemon(), 'join', '10.0.0.1:2377')).error, 'ORCH_USAGE'));
  });

  it('says which token file is missing', async () => {
    const { error } = await run(daemon(), 'join', '--token-file', '/does/not/exist', '10.0.0.1:2377');
    assert.ok(isOrchError(error, 'ORCH_USAGE'), String(error));
    assert.match(error.message, /\/does\/not\/exist/);
  });
});

describe('token', () => {
  it('prints the token alone for scripts', async () => assert.equal((await run(daemon(), 'token', '-q', 'manager')).stdout, 'ORCHTKN-1-m'));

  it('rotates at the version that it read', async () => {
    const client = daemon();
    await run(client, 'token', '--rotate', '-q', 'worker');
    assert.equal(client.calls[1], 'POST /swarm/update?version=9&rotateWorkerToken=true');
    assert.deepEqual(client.requests[1]?.body, swarm.Spec);
  });

  it('refuses a role that there is not', async () => assert.ok(isOrchError((await run(daemon(), 'token', 'boss')).error, 'ORCH_USAGE')));
});

describe('cluster update', () => {
  it('changes one setting and keeps the others', async () => {
    const client = daemon();
    await run(client, 'cluster', 'update', '--dispatcher-heartbeat', '2s');
    assert.deepEqual(client.requests[1]?.body, { ...swarm.Spec, Dispatcher: { HeartbeatPeriod: 2_000_000_000 } });
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { ORCH_VERSION } from '../../base/version.ts';
import { OrchError, isOrchError } from '../../model/errors.ts';
import { commands } from '../commands.ts';
import { runCommandLine } from '../main.ts';
import { FakeApiClient, logFrame, printed, testContext } from '../testing.ts';

const run = (client: FakeApiClient, ...words: readonly string[]) => printed(runCommandLine(commands, words, () => testContext(client, { clock: new FakeClock(3_600_000) })));

describe('version', () => {
  it('shows the client alone where no daemon runs', async () => {
    const client = new FakeApiClient({ 'GET /version': new OrchError('ORCH_UNREACHABLE', 'nobody there') });
    assert.equal((await run(client, 'version')).stdout, `Client   ${ORCH_VERSION}\nServer   not running`);
  });

  it('shows both, and hides no other failure', async () => {
    const client = new FakeApiClient({ 'GET /version': { Version: '9.9.9', ApiVersion: '1.56' } });
    assert.match((await run(client, 'version')).stdout, /\nServer {3}9\.9\.9 \(API 1\.56\)$/);
    assert.equal((await run(client, 'version', '-f', '{{.Server.Version}}')).stdout, '9.9.9');
    assert.ok(isOrchError((await run(new FakeApiClient({ 'GET /version': new OrchError('ORCH_FORBIDDEN', 'no') }), 'version')).error, 'ORCH_FORBIDDEN'));
  });
});

describe('info', () => {
  it('says how to get into a cluster, and shows warnings', async () => {
    const info = { Name: 'n1', Warnings: ['no swap limits'], Swarm: { NodeID: '', LocalNodeState: 'inactive', ControlAvailable: false } };
    const { stdout } = await run(new FakeApiClient({ 'GET /info': info }), 'info');
    assert.match(stdout, /^Name {2,}n1\n/);
    assert.match(stdout, /Cluster {2,}none \(make one with `orch init`, or `orch join` one\)/);
    assert.match(stdout, /\nWARNING: no swap limits$/);
  });

  it('says why a node is not in its cluster any more', async () => {
    const info = { Name: 'n1', Swarm: { NodeID: 'n', LocalNodeState: 'error', ControlAvailable: false, Error: 'Node n was removed' } };
    assert.match((await run(new FakeApiClient({ 'GET /info': info }), 'info')).stdout, /Cluster {2,}error: Node n was removed\n/);
  });
});

describe('events', () => {
  const event = { Type: 'service', Action: 'create', Actor: { ID: 's1', Attributes: { name: 'web', image: 'demo:1' } }, time: 0, timeNano: 1_500_000_000 };

  it('prints a line for each, as JSON or by a template when asked', async () => {
    const client = new FakeApiClient({ 'GET /events': [`${JSON.stringify(event)}\n${JSON.stringify(event).slice(0, 9)}`, `${JSON.stringify(event).slice(9)}\n`] });
    const line = '1970-01-01T00:00:01.5Z service create s1 (name=web, image=demo:1)\n';
    assert.equal((await run(client, 'events')).stdout, line + line);
    assert.equal((await run(client, 'events', '--format', '{{.Actor.Attributes.name}}')).stdout, 'web\nweb\n');
    assert.deepEqual(JSON.parse((await run(client, 'events', '--format', 'json')).stdout.split('\n')[0] ?? ''), event);
  });

  it('asks for a time span and filters', async () => {
    const client = new FakeApiClient({ 'GET /events': [] });
    await run(client, 'events', '--since', '10m', '--until', '0s', '-f', 'type=service');
    const query = new URL(`http://x${client.requests[0]?.path ?? ''}`).searchParams;
    assert.deepEqual([query.get('since'), query.get('until'), query.get('filters')], ['3000.000', '3600.000', '{"type":{"service":true}}']);
  });
});

describe('ps, logs and inspect', () => {
  it('lists containers as Docker does', async () => {
    const container = { Id: 'a'.repeat(64), Names: ['/web.1'], Image: 'demo:1', Command: 'a command that is rather long', Created: 0, State: 'running', Status: 'Up 1 hour', Ports: [{ IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }, { PrivatePort: 53, Type: 'udp' }] };
    const client = new FakeApiClient({ 'GET /containers/json': [container] });
    const row = (await run(client, 'ps', '-a', '-n', '3')).stdout.split('\n')[1]?.split(/ {2,}/);
    assert.deepEqual(row, ['aaaaaaaaaaaa', 'demo:1', '"a command that is rathe…"', 'About an hour ago', 'Up 1 hour', '0.0.0.0:8080->80/tcp, 53/udp', 'web.1']);
    assert.equal(client.calls[0], 'GET /containers/json?all=true&limit=3');
  });

  it('keeps the streams of a container apart', async () => {
    const out = await run(new FakeApiClient({ 'GET /containers/web.1/logs': [logFrame(1, 'out\n'), logFrame(2, 'err\n')] }), 'logs', 'web.1');
    assert.deepEqual([out.stdout, out.stderr], ['out\n', 'err\n']);
  });

  it('looks for an object of any kind, on a worker too', async () => {
    const client = new FakeApiClient({ 'GET /services/web': new OrchError('ORCH_NOT_MANAGER', 'a worker'), 'GET /nodes/web': { ID: 'n1' } });
    assert.equal((await run(client, 'inspect', '-f', '{{.ID}}', 'web')).stdout, 'n1');
    assert.match((await run(client, 'inspect', '--type', 'image', 'web')).error?.message ?? '', /There is no image "web"/);
    assert.match((await run(client, 'inspect', 'nothing')).error?.message ?? '', /There is no container, image, service, task, node "nothing"/);
  });
});

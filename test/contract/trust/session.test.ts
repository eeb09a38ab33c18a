import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { loadIdentity, parseIdentity } from '../../../agent/identity/identity.ts';
import { createNodeKey } from '../../../agent/identity/node-key.ts';
import { isOrchError, OrchError } from '../../../model/errors.ts';
import type { ErrorCode } from '../../../model/errors.ts';
import type { LogRecord } from '../../../model/log-record.ts';
import { openChannel } from '../../../proto/channel.ts';
import type { ChannelTrust, ManagerChannel } from '../../../proto/channel.ts';
import { encodeRenewalRequest } from '../../../proto/convert/renewal.ts';
import { nodeControlMethods } from '../../../proto/services.ts';
import { fromServiceError } from '../../../proto/status.ts';
import type { AgentMessage } from '../../../proto/session-messages.ts';
import { createCertificateRequest } from '../../../proto/x509/certificate-request.ts';
import { connectAgent } from './agent-double.ts';
import { eventually, startTestManager } from './harness.ts';
import type { RecordingPlane, TestManager } from './harness.ts';

const failsWith = (code: ErrorCode, sentence: RegExp) => (error: unknown): boolean => isOrchError(error, code) && sentence.test(error.message);

/** The error that a session opened with this trust ends with. */
async function sessionError(manager: TestManager, trust: ChannelTrust): Promise<OrchError> {
  using channel = openChannel(manager.server.address, trust);
  return await new Promise((resolve) => {
    const call = channel.openStream(nodeControlMethods.session);
    call.on('data', () => {});
    call.on('error', (error) => resolve(fromServiceError(error, channel.address)));
  });
}

const renewalCall = (csrPem: string): Parameters<ManagerChannel['call']>[0] => ({ method: nodeControlMethods.renewCertificate, request: encodeRenewalRequest({ csrPem }), timeoutMs: 5_000 });
const messagesOf = (plane: RecordingPlane): AgentMessage[] => plane.sessions.flatMap((session) => session.messages);
const sequencesOf = (plane: RecordingPlane): number[] => messagesOf(plane).flatMap((message) => message.type === 'status' ? [message.sequence] : []).toSorted((a, b) => a - b);
const status = (sequence: number): AgentMessage => ({ type: 'status', sequence, reports: [] });

describe('the node plane on the wire', () => {
  it('knows who calls from the certificate, and carries messages both ways', async () => {
    await using manager = await startTestManager();
    const identity = await manager.join();
    await using node = await connectAgent(manager, identity);
    await node.connection.connected(AbortSignal.timeout(5_000));
    const session = await eventually(() => manager.plane.sessions[0]);
    assert.deepEqual(session.peer, { nodeId: identity.nodeId, role: 'worker', clusterId: manager.cluster.id, address: '127.0.0.1' });
    assert.deepEqual(node.connection.state, { type: 'connected', manager: manager.server.address });
    node.agent.link?.send(status(1));
    await eventually(() => node.agent.received.some((message) => message.type === 'status-accepted' && message.sequence === 1));
    const removal = { type: 'log-cancel', id: 'l1' } as const;
    session.channel.send(removal);
    await eventually(() => node.agent.received.some((message) => message.type === 'log-cancel'));
  });

  it('refuses a caller without a certificate, and one of another cluster', async () => {
    await using manager = await startTestManager();
    await using other = await startTestManager();
    const stranger = await other.issue({ nodeId: 'n1', role: 'manager' });
    const { caPem } = manager.identity;
    const none = await sessionError(manager, { type: 'ca', caPem });
    assert.ok(failsWith('ORCH_UNAUTHORIZED', /no valid certificate/)(none), String(none));
    const foreign = await sessionError(manager, { type: 'mutual', ...stranger, caPem });
    assert.ok(failsWith('ORCH_UNAUTHORIZED', /no valid certificate/)(foreign), String(foreign));
    using channel = openChannel(manager.server.address, { type: 'ca', caPem });
    await assert.rejects(channel.call(renewalCall('x')), failsWith('ORCH_UNAUTHORIZED', /no valid certificate/));
    assert.equal(manager.plane.sessions.length, 0);
  });

  it('refuses an expired certificate, which the node itself can name', async () => {
    await using manager = await startTestManager();
    const expired = await manager.issue({ nodeId: 'n1', role: 'worker', lifeMs: -60_000 });
    await using node = await connectAgent(manager, expired);
    const state = await eventually(() => node.connection.state.type === 'connecting' && node.connection.state.error ? node.connection.state : undefined);
    assert.ok(failsWith('ORCH_UNAUTHORIZED', /^This node's certificate expired at 20/)(state.error), String(state.error));
    assert.equal(manager.plane.sessions.length, 0);
  });

  it('tells a removed node once, which then dials no more', async () => {
    await using manager = await startTestManager();
    const identity = await manager.join();
    await using node = await connectAgent(manager, identity);
    await node.connection.connected(AbortSignal.timeout(5_000));
    const removal = new OrchError('ORCH_FORBIDDEN', 'Node n1 has been removed', { hint: 'Join again', details: { nodeId: 'n1' } });
    manager.plane.refusal = removal;
    manager.plane.sessions[0]?.channel.close(removal);
    const [error] = await eventually(() => node.removals.length > 0 && node.removals);
    assert.deepEqual([error?.code, error?.message, error?.hint, error?.details], [removal.code, removal.message, removal.hint, removal.details], 'the same error at both ends');
    assert.equal(node.connection.state.type, 'removed');
    await assert.rejects((await connectAgent(manager, identity)).connection.connected(AbortSignal.timeout(5_000)), failsWith('ORCH_FORBIDDEN', /removed/));
  });

  it('ends a session with the error that its handler throws, and dials again', async () => {
    await using manager = await startTestManager();
    await using node = await connectAgent(manager, await manager.join());
    await node.connection.connected(AbortSignal.timeout(5_000));
    const first = manager.plane.sessions[0];
    assert.ok(first);
    first.messages.push = () => { throw new OrchError('ORCH_CONFLICT', 'Sequence is wrong'); };
    node.agent.link?.send(status(7));
    await eventually(() => manager.plane.sessions.length > 1);
    assert.ok(failsWith('ORCH_CONFLICT', /Sequence/)(first.end?.error));
    assert.ok(failsWith('ORCH_CONFLICT', /Sequence/)(node.agent.ends[0]));
  });

  it('hears of a goodbye, and of a connection that is cut', async () => {
    await using manager = await startTestManager();
    const identity = await manager.join();
    await using node = await connectAgent(manager, identity);
    await node.connection.connected(AbortSignal.timeout(5_000));
    await node.connection.goodbye({ forGood: true });
    assert.equal(node.connection.state.type, 'closed');
    const [first] = manager.plane.sessions;
    assert.ok(first);
    assert.ok(first.messages.some((message) => message.type === 'goodbye' && message.forGood));
    assert.deepEqual(first.end, { error: undefined });
    assert.deepEqual(node.agent.ends, [undefined]);
    const cut = await connectAgent(manager, identity);
    await cut.connection.connected(AbortSignal.timeout(5_000));
    await cut[Symbol.asyncDispose]();
    const end = await eventually(() => manager.plane.sessions[1]?.end);
    assert.ok(failsWith('ORCH_UNREACHABLE', /gone/)(end.error));
  });

  it('notices a manager that no longer answers, although the connection stands', async () => {
    await using manager = await startTestManager();
    manager.plane.heartbeatPeriodMs = 50;
    manager.plane.answersHeartbeats = false;
    await using node = await connectAgent(manager, await manager.join());
    const error = await eventually(() => node.agent.ends[0]);
    assert.ok(failsWith('ORCH_UNREACHABLE', /has not answered/)(error), String(error));
    await eventually(() => manager.plane.sessions.length > 1, 'a second session');
  });

  it('learns the managers from the welcome, and keeps them', async () => {
    await using manager = await startTestManager();
    manager.plane.managers = [manager.server.address, '10.9.9.9:2377'];
    const identity = await manager.join();
    await using node = await connectAgent(manager, identity);
    await node.connection.connected(AbortSignal.timeout(5_000));
    assert.deepEqual(node.connection.managers, [manager.server.address, '10.9.9.9:2377']);
    const written = async (): Promise<boolean> => (await readFile(node.managersFile, 'utf8').catch(() => '')) === `${JSON.stringify([manager.server.address, '10.9.9.9:2377'])}\n`;
    let held = false;
    await eventually(() => { void written().then((now) => { held = now; }); return held; });
  });

  it('carries logs to the plane, errors of the log included, and stops them when nobody wants them', async () => {
    await using manager = await startTestManager();
    await using node = await connectAgent(manager, await manager.join());
    await node.connection.connected(AbortSignal.timeout(5_000));
    const link = node.agent.link;
    assert.ok(link);
    const record = (line: string): LogRecord => ({ stream: 'stdout', time: '2026-11-21T00:00:00.000000001Z', line: Buffer.from(line), partial: false });
    // oxlint-disable-next-line typescript/require-await -- an async generator, as logs are
    async function* lines(count: number, error?: Error): AsyncGenerator<LogRecord> {
      for (let n = 0; n < count; n += 1) yield record(`${n} ${'x'.repeat(200)}`);
      if (error) throw error;
    }
    await link.publishLogs('s1', lines(3_000));
    assert.equal(manager.plane.logs.length, 3_000);
    assert.deepEqual(manager.plane.logs.map(({ line }) => Number.parseInt(Buffer.from(line).toString(), 10)), Array.from({ length: 3_000 }, (_, n) => n));
    await assert.rejects(link.publishLogs('s1', lines(1, new Error('log file is gone'))), failsWith('ORCH_RUNTIME', /log file is gone/));
    await assert.rejects(link.publishLogs('unknown', lines(1)), failsWith('ORCH_NOT_FOUND', /unknown/));
    async function* quiet(): AsyncGenerator<LogRecord> {
      yield record('one');
      await new Promise(() => { /* a log that says nothing more */ });
    }
    manager.plane.receive = async (records) => { for await (const _ of records) return; };
    await link.publishLogs('s1', quiet());
  });
});

describe('a connection to several managers', () => {
  it('goes to another one when the one it has is gone', async () => {
    await using manager = await startTestManager();
    const identity = await manager.join();
    const second = await manager.startAnother();
    await using node = await connectAgent(manager, identity, { managers: [second.address] });
    await node.connection.connected(AbortSignal.timeout(5_000));
    manager.plane.managers = [manager.server.address, second.address];
    manager.plane.sessions[0]?.channel.close();
    await eventually(() => manager.plane.sessions.length > 1 && node.connection.managers.length === 2);
    const before = manager.plane.sessions.length;
    await second[Symbol.asyncDispose]();
    await eventually(() => manager.plane.sessions.length > before, 'a session with the other manager');
    await eventually(() => node.connection.state.type === 'connected' && node.connection.state.manager === manager.server.address);
  });

  it('is cut when the node does not read what it is sent', async () => {
    await using manager = await startTestManager();
    const identity = await manager.join();
    using channel = openChannel(manager.server.address, { type: 'mutual', ...identity });
    const call = channel.openStream(nodeControlMethods.session);
    call.on('error', () => { /* expected */ });
    const session = await eventually(() => manager.plane.sessions[0]);
    const message = { type: 'log-cancel', id: 'x'.repeat(100_000) } as const;
    for (let n = 0; n < 5_000; n += 1) session.channel.send(message);
    const end = await eventually(() => session.end);
    assert.ok(failsWith('ORCH_TIMEOUT', /does not read/)(end.error));
    call.cancel();
  });
});

describe('certificates of a running node', () => {
  it('are refused to a node that was removed, and ignore what the request calls itself', async () => {
    await using manager = await startTestManager();
    const identity = await manager.join();
    const { keyPem } = await createNodeKey();
    const csrPem = createCertificateRequest(createPrivateKey(keyPem), { commonName: manager.identity.nodeId, organizationalUnit: 'manager', organization: 'elsewhere' });
    using channel = openChannel(manager.server.address, { type: 'mutual', ...identity });
    const renewed = await manager.plane.renewCertificate({ nodeId: identity.nodeId, role: 'worker', clusterId: manager.cluster.id, address: '' }, csrPem);
    const pems = { keyPem, ...renewed };
    assert.deepEqual([parseIdentity(pems).nodeId, parseIdentity(pems).role, parseIdentity(pems).clusterId], [identity.nodeId, 'worker', manager.cluster.id]);
    await channel.call(renewalCall(csrPem));
    await manager.store.update((tx) => { tx.blockedNode.create({ id: identity.nodeId }); tx.node.delete(identity.nodeId); });
    await assert.rejects(channel.call(renewalCall(csrPem)), failsWith('ORCH_FORBIDDEN', /removed/));
  });

  it('change on the manager without ending a stream, and new connections see the new one', async () => {
    await using manager = await startTestManager();
    await using node = await connectAgent(manager, await manager.join());
    await node.connection.connected(AbortSignal.timeout(5_000));
    node.agent.link?.send(status(1));
    const successor = await manager.issue({ nodeId: manager.identity.nodeId, role: 'manager' });
    manager.server.useIdentity(successor);
    const second = await manager.join();
    await using late = await connectAgent(manager, second);
    await late.connection.connected(AbortSignal.timeout(5_000));
    node.agent.link?.send(status(2));
    await eventually(() => sequencesOf(manager.plane).length === 2);
    assert.equal(node.agent.links.length, 1, 'still the first stream');
    assert.equal(manager.plane.sessions[0]?.end, undefined);
  });

  for (const endsFormer of [true, false]) {
    it(`change on the node when a manager asks, onto a new connection, losing no message (the agent ${endsFormer ? 'ends' : 'leaves'} its former session)`, async () => {
      await using manager = await startTestManager();
      const identity = await manager.join();
      await using node = await connectAgent(manager, identity);
      node.agent.endsFormer = endsFormer;
      await node.connection.connected(AbortSignal.timeout(5_000));
      await manager.store.update((tx) => {
        const stored = tx.node.get(identity.nodeId);
        assert.ok(stored);
        tx.node.update({ ...stored, spec: { ...stored.spec, role: 'manager' } });
      });
      let sequence = 0;
      manager.plane.sessions[0]?.channel.send({ type: 'renew-now' });
      await eventually(() => {
        for (let n = 0; n < 20; n += 1) node.agent.link?.send(status(sequence += 1));
        return manager.plane.sessions.some((session) => session.peer.role === 'manager' && session.messages.length > 20);
      });
      await eventually(() => sequencesOf(manager.plane).length === sequence, 'every message');
      assert.deepEqual(sequencesOf(manager.plane), Array.from({ length: sequence }, (_, n) => n + 1));
      assert.deepEqual([node.identities.length, node.connection.identity.role], [1, 'manager']);
      assert.deepEqual(await loadIdentity(join(manager.folder, `agent-${identity.nodeId}`, 'pki')), node.connection.identity);
      await eventually(() => manager.plane.sessions[0]?.end);
      assert.equal(manager.plane.sessions.length, 2);
      assert.equal(node.connection.state.type, 'connected');
    });
  }
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import type { PublishedPort } from '../model/service.ts';
import { isLive, type AttachmentRecord } from './attachment-record.ts';
import { parseSubnet } from './ipv4.ts';
import { planAttach, type AttachContext } from './plan-attach.ts';
import { parseListeningPorts } from './plan-ports.ts';

const containerId = (number: number): string => number.toString(16).padStart(8, '0').repeat(8);

const context = (overrides: Partial<AttachContext> = {}): AttachContext => ({
  subnet: parseSubnet('10.200.3.0/24'), records: new Map(), listening: { tcp: new Set(), udp: new Set() }, nowMs: 1_000_000, namespaceDir: '/run/orch/netns', ...overrides,
});

const port = (publishedPort: number, protocol: PublishedPort['protocol'] = 'tcp'): PublishedPort => ({ protocol, publishedPort, targetPort: 80, mode: 'host' });

/** Records of containers attached one after the other to `base`. */
function attached(count: number, base = context(), ports: readonly PublishedPort[] = []): Map<string, AttachmentRecord> {
  const records = new Map(base.records);
  for (let index = 0; index < count; index += 1) {
    const record = planAttach({ containerId: containerId(index), mode: 'bridge', ports: index === 0 ? ports : [] }, { ...base, records });
    records.set(containerId(index), record);
  }
  return records;
}

describe('planning an attachment', () => {
  it('gives the lowest free address, and everything else follows from it', () => {
    const { attachment, hostLink } = planAttach({ containerId: containerId(7), mode: 'bridge', ports: [] }, context({ records: attached(2) }));
    assert.deepEqual(attachment, {
      containerId: containerId(7), namespacePath: `/run/orch/netns/${containerId(7)}`, addresses: ['10.200.3.4/24'], gateway: '10.200.3.1', macAddress: '02:42:0a:c8:03:04', ports: [],
    });
    assert.equal(hostLink, 'og-00000007');
  });

  it('gives a container without network a namespace and nothing else', () => {
    assert.deepEqual(planAttach({ containerId: containerId(1), mode: 'none', ports: [] }, context({ subnet: undefined })).attachment,
      { containerId: containerId(1), namespacePath: `/run/orch/netns/${containerId(1)}`, addresses: [], ports: [] });
  });

  it('lets a freed address rest for a minute while there are others', () => {
    const records = new Map<string, AttachmentRecord>([[containerId(1), { state: 'released', containerId: containerId(1), address: '10.200.3.2/24', releasedAtMs: 1_000_000 }]]);
    const addressAt = (nowMs: number): string | undefined => planAttach({ containerId: containerId(2), mode: 'bridge', ports: [] }, context({ records, nowMs })).attachment.addresses[0];
    assert.equal(addressAt(1_059_999), '10.200.3.3/24');
    assert.equal(addressAt(1_060_000), '10.200.3.2/24');
  });

  it('takes the address that has rested longest when no other is free, and refuses when all are in use', () => {
    const small = context({ subnet: parseSubnet('10.0.0.0/29') });
    const records = attached(3, small);
    records.set('a', { state: 'released', containerId: 'a', address: '10.0.0.6/29', releasedAtMs: 999_000 });
    records.set('b', { state: 'released', containerId: 'b', address: '10.0.0.5/29', releasedAtMs: 998_000 });
    assert.equal(planAttach({ containerId: containerId(9), mode: 'bridge', ports: [] }, { ...small, records }).attachment.addresses[0], '10.0.0.5/29');
    const full = attached(5, small);
    assert.throws(() => planAttach({ containerId: containerId(9), mode: 'bridge', ports: [] }, { ...small, records: full }), (error) => isOrchError(error, 'ORCH_CONFLICT') && error.message.includes('10.0.0.0/29'));
  });

  it('waits for a subnet and refuses what can never work', () => {
    assert.throws(() => planAttach({ containerId: containerId(1), mode: 'bridge', ports: [] }, context({ subnet: undefined })), (error) => isOrchError(error, 'ORCH_CONFLICT'));
    assert.throws(() => planAttach({ containerId: containerId(1), mode: 'none', ports: [port(80)] }, context()), (error) => isOrchError(error, 'ORCH_INVALID'));
    assert.throws(() => planAttach({ containerId: containerId(1), mode: 'bridge', ports: [port(80, 'sctp')] }, context()), (error) => isOrchError(error, 'ORCH_UNSUPPORTED'));
  });
});

describe('planning published ports', () => {
  it('refuses a port that another container publishes, naming both', () => {
    const records = attached(1, context(), [port(8080)]);
    assert.throws(() => planAttach({ containerId: containerId(9), mode: 'bridge', ports: [port(8080)] }, context({ records })),
      (error) => isOrchError(error, 'ORCH_IN_USE') && error.message === 'Port 8080/tcp of this node is already in use by container 000000000000');
    assert.equal(planAttach({ containerId: containerId(9), mode: 'bridge', ports: [port(8080, 'udp')] }, context({ records })).attachment.ports[0]?.publishedPort, 8080);
  });

  it('refuses a port on which a program of the node listens, and one asked for twice', () => {
    const listening = { tcp: new Set([22]), udp: new Set<number>() };
    assert.throws(() => planAttach({ containerId: containerId(1), mode: 'bridge', ports: [port(22)] }, context({ listening })), (error) => isOrchError(error, 'ORCH_IN_USE'));
    assert.throws(() => planAttach({ containerId: containerId(1), mode: 'bridge', ports: [port(80), port(80)] }, context()), (error) => isOrchError(error, 'ORCH_IN_USE'));
  });

  it('finds a free port for port 0', () => {
    const listening = { tcp: new Set([30_000]), udp: new Set<number>() };
    const { attachment } = planAttach({ containerId: containerId(1), mode: 'bridge', ports: [port(0), port(0), port(0, 'udp')] }, context({ listening }));
    assert.deepEqual(attachment.ports.map(({ publishedPort }) => publishedPort), [30_001, 30_002, 30_000]);
  });
});

describe('a history of attachments', () => {
  it('never gives an address, link or port to two containers, whatever comes and goes', () => {
    fc.assert(fc.property(fc.array(fc.record({ id: fc.nat(12), leave: fc.boolean(), wantsPort: fc.boolean() }), { maxLength: 60 }), (history) => {
      const records = new Map<string, AttachmentRecord>();
      const small = context({ subnet: parseSubnet('10.0.0.0/28') });
      for (const [step, { id, leave, wantsPort }] of history.entries()) {
        const current = records.get(containerId(id));
        if (current && isLive(current) && leave) records.set(containerId(id), { state: 'released', containerId: containerId(id), address: current.attachment.addresses[0] ?? '', releasedAtMs: step });
        else if (!current || !isLive(current)) records.set(containerId(id), planAttach({ containerId: containerId(id), mode: 'bridge', ports: wantsPort ? [port(0)] : [] }, { ...small, records, nowMs: step }));
        const live = [...records.values()].filter(isLive);
        const uniqueFacts: (string | number | undefined)[][] = [live.map((record) => record.attachment.addresses[0]), live.map((record) => record.hostLink), live.flatMap((record) => record.attachment.ports.map((one) => one.publishedPort))];
        for (const facts of uniqueFacts) assert.equal(new Set(facts).size, facts.length);
      }
    }));
  });
});

describe('reading /proc/net', () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
`;
  it('finds the listening ports and not the connected ones', () => assert.deepEqual([...parseListeningPorts(tcp, 'tcp')], [8080]));
  it('reads IPv6 addresses', () => assert.deepEqual([...parseListeningPorts(`header\n   0: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 07 0:0\n`, 'udp')], [53]));
});

import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { capabilityNames, parseCapability } from './capabilities.ts';
import { defaultClusterSpec } from './cluster.ts';
import { isIpv4, isIpv6, parseIpv4Cidr } from './ip.ts';
import { parseSignal } from './signals.ts';
import { node } from './testing.ts';
import { validateClusterSpec, validateNodeSpec } from './validate-cluster.ts';

describe('validateNodeSpec', () => {
  it('finds nothing wrong with a plain node', () => assert.deepEqual(validateNodeSpec(node().spec), []));
  it('checks name, labels, role and availability', () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- wrong values on purpose
    const spec = { name: 'a b', labels: { '': '' }, role: 'boss', availability: 'off' } as unknown as Parameters<typeof validateNodeSpec>[0];
    assert.deepEqual(validateNodeSpec(spec).map((problem) => problem.path), ['name', 'labels[""]', 'role', 'availability']);
  });
});

describe('validateClusterSpec', () => {
  it('finds nothing wrong with the defaults', () => assert.deepEqual(validateClusterSpec(defaultClusterSpec), []));
  it('lets all task history be kept', () => assert.deepEqual(validateClusterSpec({ ...defaultClusterSpec, taskHistoryLimit: -1 }), []));
  it('takes no heartbeat period by which busy nodes would seem dead, but 0 for one that adapts', () => {
    const problems = [0, 1, 999, 1_000].map((heartbeatPeriodMs) => validateClusterSpec({ ...defaultClusterSpec, heartbeatPeriodMs }).length);
    assert.deepEqual(problems, [0, 1, 1, 0]);
  });
  it('checks every field', () => {
    const problems = validateClusterSpec({ name: '', labels: { ' ': '' }, taskHistoryLimit: 0.5, heartbeatPeriodMs: -1, certificateLifeMs: 1000, bridgePool: '10.200.0.1/16' });
    assert.deepEqual(problems.map((problem) => problem.path), ['name', 'labels[" "]', 'taskHistoryLimit', 'heartbeatPeriodMs', 'certificateLifeMs', 'bridgePool']);
  });
  for (const bridgePool of ['10.200.0.0', '10.200.0.0/25', '10.200.0.0/33', '10.300.0.0/16', '10.200.0.0/016', 'fd00::/16', '']) {
    it(`does not take "${bridgePool}" as a bridge pool`, () => assert.equal(validateClusterSpec({ ...defaultClusterSpec, bridgePool }).length, 1));
  }
});

describe('addresses', () => {
  it('are recognised as Node recognises them', () => {
    const part = fc.constantFrom('', '0', '1', '01', '255', '256', 'a', 'ffff', 'fffff', '::', ':', '.', '10.0.0.1');
    const texts = fc.oneof(fc.array(part, { maxLength: 9 }).map((parts) => parts.join(':')), fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')), fc.ipV4(), fc.ipV6());
    fc.assert(fc.property(texts, (text) => {
      assert.equal(isIpv4(text), isIPv4(text), text);
      assert.equal(isIpv6(text), isIPv6(text), text);
    }), { numRuns: 2000 });
  });
  it('have no bits after the prefix of a network', () => {
    assert.deepEqual(parseIpv4Cidr('10.200.0.0/16'), { address: '10.200.0.0', prefix: 16 });
    assert.deepEqual(parseIpv4Cidr('0.0.0.0/0'), { address: '0.0.0.0', prefix: 0 });
    assert.deepEqual(parseIpv4Cidr('255.255.255.255/32'), { address: '255.255.255.255', prefix: 32 });
    assert.equal(parseIpv4Cidr('10.200.0.1/31'), undefined);
  });
});

describe('parseSignal', () => {
  it('takes names and numbers as Docker does', () => {
    assert.deepEqual(['SIGTERM', 'term', '15', 'SIGKILL', 'SIGRTMIN', 'RTMIN+3', 'SIGRTMAX-1', 'SIGRTMAX', '64', '1'].map(parseSignal), [15, 15, 15, 9, 34, 37, 63, 64, 64, 1]);
    for (const text of ['', 'SIG', 'NOPE', '0', '65', '-1', 'RTMIN+31', 'RTMAX-31', 'toString', '1.5']) assert.equal(parseSignal(text), undefined, text);
  });
});

describe('parseCapability', () => {
  it('takes names with and without CAP_, in any case', () => {
    assert.deepEqual(['net_admin', 'CAP_NET_ADMIN', 'Cap_Sys_Time', 'all', 'ALL'].map(parseCapability), ['CAP_NET_ADMIN', 'CAP_NET_ADMIN', 'CAP_SYS_TIME', 'ALL', 'ALL']);
    for (const text of ['', 'CAP_', 'CAP_ALL', 'NOPE', 'CAP_CAP_CHOWN']) assert.equal(parseCapability(text), undefined, text);
  });
  it('knows them by their number', () => assert.deepEqual([capabilityNames.indexOf('CAP_SYS_ADMIN'), capabilityNames.indexOf('CAP_BPF'), capabilityNames.length], [21, 39, 41]));
});

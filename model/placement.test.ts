import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from './errors.ts';
import { formatConstraint, formatPlacementKey, meetsConstraint, parseConstraint, parseSpread, placementValue } from './placement.ts';
import type { NodeOverrides } from './testing.ts';
import { node } from './testing.ts';

const meets = (text: string, overrides: NodeOverrides = {}): boolean => meetsConstraint(parseConstraint(text), node(overrides));

describe('parseConstraint', () => {
  it('reads with and without spaces, and writes with them', () => {
    for (const text of ['node.labels.disk==ssd', 'node.labels.disk == ssd', '  node.labels.disk  ==  ssd ']) {
      assert.deepEqual(parseConstraint(text), { key: { type: 'node-label', name: 'disk' }, operator: '==', value: 'ssd' });
      assert.equal(formatConstraint(parseConstraint(text)), 'node.labels.disk == ssd');
    }
  });

  it('takes attribute names in any case, and keeps the case of labels', () => {
    assert.deepEqual(parseConstraint('NODE.Role!=manager').key, { type: 'attribute', name: 'node.role' });
    assert.deepEqual(parseConstraint('Engine.Labels.Zone==A').key, { type: 'engine-label', name: 'Zone' });
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /neither == nor !=/], ['node.role', /neither == nor !=/], ['node.role=manager', /neither == nor !=/], ['node.role>1', /neither == nor !=/],
    ['==x', /the key "" must be one of node.id, .*node.labels.NAME/], ['role==manager', /the key "role"/], ['node.labels==x', /the key "node.labels"/],
    ['node.labels.==x', /the key "node.labels."/], ['node.labels.a b==x', /the key "node.labels.a b"/], ['node.role==', /value is missing/], ['node.role== ', /value is missing/],
    ['node.role==<a>', /the value "<a>"/], ['node.role===a', /the value "=a"/], ['!node.role==a', /neither|key/],
  ];
  for (const [text, why] of refused) {
    it(`refuses "${text}"`, () => {
      assert.throws(() => parseConstraint(text), (error) => isOrchError(error, 'ORCH_INVALID') && error.message.startsWith(`"${text}"`) && why.test(error.message));
    });
  }

  it('reads back what formatConstraint writes', () => {
    const label = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,8}$/);
    const keys = fc.oneof(fc.constantFrom('node.id', 'node.hostname', 'node.role', 'node.platform.os', 'node.platform.arch'), label.map((name) => `node.labels.${name}`), label.map((name) => `engine.labels.${name}`));
    const value = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9 .:-]{0,8}[a-zA-Z0-9])?$/);
    fc.assert(fc.property(keys, fc.constantFrom('==', '!='), value, (...parts) => {
      const text = parts.join(' ');
      assert.equal(formatConstraint(parseConstraint(text)), text);
      assert.deepEqual(parseConstraint(formatConstraint(parseConstraint(parts.join('')))), parseConstraint(text));
    }));
  });
});

describe('meetsConstraint', () => {
  it('looks at every attribute', () => {
    const overrides: NodeOverrides = { id: 'n1', hostname: 'web-1', role: 'manager', os: 'linux', arch: 'arm64', labels: { disk: 'ssd' }, engineLabels: { gpu: 'a100' } };
    for (const text of ['node.id == n1', 'node.hostname == web-1', 'node.role == manager', 'node.platform.os == linux', 'node.platform.arch == arm64', 'node.labels.disk == ssd', 'engine.labels.gpu == a100']) {
      assert.equal(meets(text, overrides), true, text);
      assert.equal(meets(text.replace('==', '!='), overrides), false, text);
      assert.equal(meets(text.replace(/== .*/, '== other'), overrides), false, text);
      assert.equal(meets(text.replace(/== .*/, '!= other'), overrides), true, text);
    }
  });

  it('compares values without regard to case', () => assert.ok(meets('node.labels.disk == SSD', { labels: { disk: 'Ssd' } })));
  it('does not take a label of another case', () => assert.ok(!meets('node.labels.Disk == ssd', { labels: { disk: 'ssd' } })));
  it('takes x86_64 for amd64 and aarch64 for arm64', () => {
    assert.ok(meets('node.platform.arch == x86_64', { arch: 'amd64' }));
    assert.ok(meets('node.platform.arch == arm64', { arch: 'aarch64' }));
    assert.ok(!meets('node.platform.arch != aarch64', { arch: 'arm64' }));
  });

  it('takes a missing label as empty', () => {
    assert.ok(!meets('node.labels.disk == ssd'));
    assert.ok(meets('node.labels.disk != ssd'));
    assert.ok(meets('node.labels.constructor != x'));
  });

  it('never holds for an attribute of a node that has not described itself', () => {
    assert.ok(!meets('node.hostname != a', { described: false }));
    assert.ok(!meets('node.platform.os == linux', { described: false }));
    assert.ok(meets('engine.labels.gpu != a', { described: false }));
  });
});

describe('parseSpread', () => {
  it('reads labels of nodes and engines', () => {
    assert.deepEqual(parseSpread('node.labels.zone'), { type: 'node-label', name: 'zone' });
    assert.equal(formatPlacementKey(parseSpread(' engine.labels.Rack ')), 'engine.labels.Rack');
  });

  for (const text of ['', 'zone', 'node.id', 'node.labels.', 'node.labels.a==b']) {
    it(`refuses "${text}"`, () => assert.throws(() => parseSpread(text), (error) => isOrchError(error, 'ORCH_INVALID') && error.message.startsWith(`"${text}"`)));
  }

  it('finds the value that a node is spread by', () => {
    assert.equal(placementValue(parseSpread('node.labels.zone'), node({ labels: { zone: 'a' } })), 'a');
    assert.equal(placementValue(parseSpread('node.labels.zone'), node()), '');
  });
});

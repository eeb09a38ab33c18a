import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { LiveRecord } from './attachment-record.ts';
import { parseSubnet } from './ipv4.ts';
import { planPortChange, planTable } from './plan-rules.ts';

const record = (address: string, ...published: number[]): LiveRecord => recordOf('tcp', address, published);

const recordOf = (protocol: 'tcp' | 'udp', address: string, published: readonly number[]): LiveRecord => ({
  state: 'attached', hostLink: 'og-1',
  attachment: { containerId: address, namespacePath: '/n', addresses: [`${address}/24`], ports: published.map((publishedPort) => ({ protocol, targetPort: 80, publishedPort, mode: 'host' })) },
});

describe('planning the packet filter', () => {
  it('changes only the ports that come and go, in one transaction', () => {
    assert.equal(planPortChange([record('10.0.0.2', 8080)], [record('10.0.0.3', 8080, 8081)]),
      'delete element ip orch pub { tcp . 8080 }\nadd element ip orch pub { tcp . 8080 : 10.0.0.3 . 80, tcp . 8081 : 10.0.0.3 . 80 }\n');
    assert.equal(planPortChange([record('10.0.0.2')], []), '');
  });

  it('gives the UDP connections of each container a zone of their own', () => {
    assert.equal(planPortChange([recordOf('udp', '10.0.0.2', [53])], [recordOf('udp', '10.0.1.3', [53])]),
      'delete element ip orch pub { udp . 53 }\ndelete element ip orch zones { 53 }\nadd element ip orch pub { udp . 53 : 10.0.1.3 . 80 }\nadd element ip orch zones { 53 : 259 }\n');
  });

  it('replaces the whole table at once', () => {
    const text = planTable([parseSubnet('10.0.0.0/24')], [record('10.0.0.2', 8080)]);
    assert.match(text, /^table ip orch\ndelete table ip orch\ntable ip orch \{/);
    assert.match(text, /set subnets \{ .* elements = \{ 10\.0\.0\.0\/24 \} \}/);
    assert.match(text, /map pub \{ .* elements = \{ tcp \. 8080 : 10\.0\.0\.2 \. 80 \} \}/);
  });

  it('writes no empty list of elements', () => assert.doesNotMatch(planTable([], []), /elements/));
});

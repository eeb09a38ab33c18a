import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseBatchFailures } from './kernel.ts';
import { parseSubnet } from './ipv4.ts';
import { parseLinkAddresses, parseLinkNames, parseNamespaceMounts, planBridge, planContainerLinks } from './plan-links.ts';

const subnet = parseSubnet('10.200.3.0/24');

describe('planning links', () => {
  it('makes both ends of a container\'s link from inside its namespace', () => {
    const lines = planContainerLinks({
      state: 'attaching', hostLink: 'og-12345678',
      attachment: { containerId: 'c', namespacePath: '/n/c', addresses: ['10.200.3.2/24'], gateway: '10.200.3.1', macAddress: '02:42:0a:c8:03:02', ports: [] },
    }, '/proc/1/ns/net');
    assert.deepEqual(lines, [
      'link set lo up', 'link add eth0 address 02:42:0a:c8:03:02 type veth peer name og-12345678 netns /proc/1/ns/net',
      'link set eth0 addrgenmode none', 'addr add 10.200.3.2/24 dev eth0', 'link set eth0 up', 'route add default via 10.200.3.1',
    ]);
  });

  it('gives a container without network only a loopback', () => {
    assert.deepEqual(planContainerLinks({ state: 'attaching', attachment: { containerId: 'c', namespacePath: '/n/c', addresses: [], ports: [] } }, '/p'), ['link set lo up']);
  });

  it('makes the bridge once and then changes nothing', () => {
    assert.deepEqual(planBridge([subnet], { bridge: false, addresses: [] }), [
      'link add orch0 type bridge forward_delay 0', 'link set orch0 address 02:42:0a:c8:03:01 addrgenmode none', 'link set orch0 up', 'addr add 10.200.3.1/24 dev orch0',
    ]);
    assert.deepEqual(planBridge([subnet], { bridge: true, addresses: ['10.200.3.1/24'] }), ['link set orch0 up']);
  });

  it('adds the address of a new subnet and drops that of one nobody uses', () => {
    assert.deepEqual(planBridge([parseSubnet('10.200.9.0/24')], { bridge: true, addresses: ['10.200.3.1/24'] }),
      ['link set orch0 up', 'addr add 10.200.9.1/24 dev orch0', 'addr del 10.200.3.1/24 dev orch0']);
  });

  it('makes no bridge without a subnet', () => assert.deepEqual(planBridge([], { bridge: false, addresses: [] }), []));
});

describe('reading the node\'s network', () => {
  it('names links of /proc/net/dev', () => {
    const text = 'Inter-|   Receive\n face |bytes\n    lo:       0       0\n orch0:       0\nog-12345678: 1 2\n';
    assert.deepEqual([...parseLinkNames(text)], ['lo', 'orch0', 'og-12345678']);
  });

  it('finds mounted namespaces below a directory only, also with a space in the path', () => {
    const text = [
      '63 43 0:4 net:[4026532248] /run/orch/netns/aa rw - nsfs nsfs rw', '64 43 0:4 net:[4026532249] /run/netns/bb rw - nsfs nsfs rw',
      '65 43 0:4 / /run/orch/netns/cc rw - tmpfs tmpfs rw', '66 43 0:4 net:[4026532250] /run/orch/netns/d\\040d rw - nsfs nsfs rw',
    ].join('\n');
    assert.deepEqual([...parseNamespaceMounts(text, '/run/orch/netns')], ['/run/orch/netns/aa', '/run/orch/netns/d d']);
  });

  it('reads addresses of ip\'s JSON', () => {
    const json = '[{"ifname":"orch0","addr_info":[{"family":"inet","local":"10.200.3.1","prefixlen":24}]},{}]';
    assert.deepEqual(parseLinkAddresses(json).get('orch0'), ['10.200.3.1/24']);
    assert.equal(parseLinkAddresses('').size, 0);
  });

  it('tells which lines of a batch failed and why', () => {
    const stderr = 'Cannot find device "og-nope"\nCommand failed -:1\nRTNETLINK answers: File exists\nCommand failed -:12\n';
    assert.deepEqual([...parseBatchFailures(stderr)], [[0, 'Cannot find device "og-nope"'], [11, 'RTNETLINK answers: File exists']]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { containerRange, formatAddress, formatSubnet, gatewayOf, macOf, parseAddress, parseSubnet } from './ipv4.ts';

describe('IPv4 subnets', () => {
  it('give the first address to the bridge and keep the last for broadcast', () => {
    const subnet = parseSubnet('10.200.3.0/24');
    const { first, last } = containerRange(subnet);
    assert.deepEqual([formatAddress(gatewayOf(subnet)), formatAddress(first), formatAddress(last)], ['10.200.3.1', '10.200.3.2', '10.200.3.254']);
  });

  it('read back as written, also with the highest bit set', () => {
    assert.equal(formatSubnet(parseSubnet('192.168.255.0/30')), '192.168.255.0/30');
    assert.equal(formatAddress(parseAddress('255.255.255.255') ?? 0), '255.255.255.255');
  });

  it('are refused when they are none or hold no container', () => {
    for (const text of ['', '10.0.0.0', '10.0.0.0/33', '10.0.0.1/24', '10.0.0.0/31', 'fd00::/64']) {
      assert.throws(() => parseSubnet(text), (error) => isOrchError(error, 'ORCH_INVALID'), text);
    }
  });

  it('name hardware addresses after the IP address', () => assert.equal(macOf(parseAddress('10.200.3.2') ?? 0), '02:42:0a:c8:03:02'));
});

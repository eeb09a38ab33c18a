import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { capabilityNames, defaultCapabilities, parseCapabilityMask, resolveCapabilities } from './capabilities.ts';

const all = new Set(capabilityNames);

describe('capabilities', () => {
  it('are Docker\'s fourteen by default', () => {
    const resolved = resolveCapabilities([], [], all);
    assert.equal(resolved.length, 14);
    assert.deepEqual(new Set(resolved), parseCapabilityMask('00000000a80425fb'));
    assert.deepEqual(new Set(defaultCapabilities), new Set(resolved));
  });

  it('are added and dropped by name, with or without CAP_ and in any case', () => {
    assert.ok(resolveCapabilities(['net_admin'], [], all).includes('CAP_NET_ADMIN'));
    assert.ok(!resolveCapabilities([], ['CAP_NET_RAW', 'Chown'], all).some((name) => name === 'CAP_NET_RAW' || name === 'CAP_CHOWN'));
    assert.deepEqual(resolveCapabilities(['CHOWN'], ['ALL'], all), ['CAP_CHOWN']);
    assert.deepEqual(resolveCapabilities([], ['all'], all), []);
    assert.equal(resolveCapabilities(['ALL'], [], all).length, capabilityNames.length);
    assert.deepEqual(resolveCapabilities(['ALL'], ['SYS_ADMIN'], all), capabilityNames.filter((name) => name !== 'CAP_SYS_ADMIN'));
  });

  it('are never more than the node has', () => {
    const few = new Set(capabilityNames.filter((name) => name !== 'CAP_SYS_RESOURCE' && name !== 'CAP_KILL'));
    assert.ok(!resolveCapabilities([], [], few).includes('CAP_KILL'));
    assert.equal(resolveCapabilities(['ALL'], [], few).length, capabilityNames.length - 2);
    assert.throws(() => resolveCapabilities(['SYS_RESOURCE'], [], few), (error) => isOrchError(error, 'ORCH_UNSUPPORTED') && error.message.includes('CAP_SYS_RESOURCE'));
  });

  it('are refused when no such capability exists', () => {
    assert.throws(() => resolveCapabilities(['SYS_MAGIC'], [], all), (error) => isOrchError(error, 'ORCH_INVALID') && error.message.includes('SYS_MAGIC'));
    assert.throws(() => resolveCapabilities([], ['CAP_CAP_KILL'], all), (error) => isOrchError(error, 'ORCH_INVALID'));
  });
});

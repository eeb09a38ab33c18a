import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { describeNode } from './node-description.ts';

describe('the description of a node', () => {
  it('is what the machine has', () => {
    const { hostname, platform, resources, engineVersion, engineLabels } = describeNode({ engineVersion: '1.2.3', engineLabels: { disk: 'ssd' } });
    assert.ok(hostname.length > 0);
    assert.equal(platform.os, 'linux');
    assert.ok(['amd64', 'arm64'].includes(platform.arch));
    assert.ok(resources.nanoCpus >= 1e9 && resources.memoryBytes > 1e6);
    assert.deepEqual([engineVersion, engineLabels], ['1.2.3', { disk: 'ssd' }]);
  });

  it('gives the declared capacity instead, and refuses none', () => {
    const options = { engineVersion: '1', engineLabels: {} };
    assert.deepEqual(describeNode({ ...options, nanoCpus: 5e8, memoryBytes: 1024 }).resources, { nanoCpus: 5e8, memoryBytes: 1024 });
    for (const wrong of [{ nanoCpus: 0 }, { memoryBytes: -1 }, { nanoCpus: Number.NaN }]) assert.throws(() => describeNode({ ...options, ...wrong }), (error) => isOrchError(error, 'ORCH_INVALID'));
  });
});

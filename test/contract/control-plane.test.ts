import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ControlPlane } from '../../api/control-plane.ts';
import { testCluster } from '../../manager/testing.ts';

describe('the control operations of a manager', () => {
  it('are what the API asks for', async () => {
    await using cluster = await testCluster();
    // The compiler checks this line; the layers keep the manager from naming the API's types.
    const plane: ControlPlane = cluster.control;
    assert.equal(plane.nodes().length, 1);
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { testApi } from './testing.ts';

const SOCKET_MODE = 0o660;

async function ping(socketPath: string): Promise<number | undefined> {
  const sent = request({ socketPath, path: '/_ping' });
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'close');
  return response.statusCode;
}

describe('the unix socket of the API', () => {
  let directory = '';
  beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'orch-api-')); });
  afterEach(() => { rmSync(directory, { recursive: true }); });

  it('is for its owner and group only, and goes with the API', async () => {
    const path = join(directory, 'run/orch.sock');
    {
      await using under = await testApi();
      await under.api.listenUnix(path);
      assert.equal(lstatSync(path).mode & 0o777, SOCKET_MODE);
      assert.equal(await ping(path), 200);
    }
    assert.equal(existsSync(path), false);
  });

  it('takes the place of one that nobody answers on', async () => {
    const path = join(directory, 'orch.sock');
    const dead = createServer();
    dead.listen(path);
    await once(dead, 'listening');
    // A killed daemon leaves its socket behind; a rename keeps this one from being removed at close.
    renameSync(path, `${path}.left`);
    dead.close();
    await once(dead, 'close');
    renameSync(`${path}.left`, path);
    await using under = await testApi();
    await under.api.listenUnix(path);
    assert.equal(await ping(path), 200);
  });

  it('is not taken from a daemon that answers', async () => {
    const path = join(directory, 'orch.sock');
    await using first = await testApi();
    await first.api.listenUnix(path);
    await using second = await testApi();
    await assert.rejects(second.api.listenUnix(path), (error) => isOrchError(error, 'ORCH_IN_USE'));
    assert.equal(await ping(path), 200);
  });

  it('never takes the place of another file', async () => {
    const path = join(directory, 'orch.sock');
    writeFileSync(path, 'mine');
    await using under = await testApi();
    await assert.rejects(under.api.listenUnix(path), (error) => isOrchError(error, 'ORCH_INVALID'));
    assert.equal(existsSync(path), true);
  });
});

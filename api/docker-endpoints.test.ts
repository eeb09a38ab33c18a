import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { assertDocker, referenceMissing, referencePaths } from '../test/support/docker-reference.ts';
import { dockerEndpoints } from './docker-endpoints.ts';
import { apiRoutes } from './routes.ts';
import { testApi } from './testing.ts';

const statusOf = async (under: Awaited<ReturnType<typeof testApi>>, method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD', url: string): Promise<readonly [number, string]> => {
  const response = await under.api.inject({ method, url });
  if (response.body !== '') assertDocker('ErrorResponse', response.json());
  return [response.statusCode, response.body === '' ? '' : response.json().message];
};

describe('endpoints of Docker', () => {
  it('are all known by name', function () {
    if (referenceMissing) {
      process.stderr.write(`the table of endpoints is not checked: ${referenceMissing}\n`);
      this.skip();
    }
    assert.deepEqual(new Map(dockerEndpoints.map(([path, methods]) => [path, methods.split(' ')])), referencePaths());
  });

  it('that orch lacks are refused by name, also with a version and names with slashes', async () => {
    await using under = await testApi();
    assert.deepEqual(await statusOf(under, 'POST', '/v1.41/containers/create'), [501, 'orch does not have Docker\'s endpoint POST /containers/create']);
    assert.deepEqual(await statusOf(under, 'POST', '/images/team/web/push'), [501, 'orch does not have Docker\'s endpoint POST /images/{name}/push']);
    assert.deepEqual(await statusOf(under, 'GET', '/distribution/team/web:1/json'), [501, 'orch does not have Docker\'s endpoint GET /distribution/{name}/json']);
    assert.deepEqual(await statusOf(under, 'GET', '/swarm/unlockkey'), [501, 'orch does not have Docker\'s endpoint GET /swarm/unlockkey']);
    assert.equal((await statusOf(under, 'HEAD', '/containers/web/archive'))[0], 501);
  });

  it('that nobody has are not found', async () => {
    await using under = await testApi();
    for (const [method, url] of [['GET', '/v1.41/pods'], ['GET', '/'], ['DELETE', '/info'], ['GET', '/images/web'], ['PUT', '/services'], ['GET', '/v1.41']] as const) {
      assert.deepEqual(await statusOf(under, method, url), [404, 'page not found'], `${method} ${url}`);
    }
  });

  it('are answered from API 1.24 to 1.56 and refused with Docker\'s sentences beyond', async () => {
    await using under = await testApi();
    assert.equal((await under.api.inject('/v1.24/version')).statusCode, 200);
    assert.equal((await under.api.inject('/v1.56/version')).statusCode, 200);
    assert.deepEqual(await statusOf(under, 'GET', '/v1.57/version'), [400, 'client version 1.57 is too new. Maximum supported API version is 1.56']);
    assert.deepEqual(await statusOf(under, 'GET', '/v2.0/version'), [400, 'client version 2.0 is too new. Maximum supported API version is 1.56']);
    assert.deepEqual(await statusOf(under, 'GET', '/v1.23/version'), [400, 'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version']);
  });

  it('have a route each that Docker knows, or orch\'s own prefix', () => {
    const known = new Set(dockerEndpoints.flatMap(([path, methods]) => methods.split(' ').map((method) => `${method} ${path}`)));
    assert.deepEqual(apiRoutes.map(({ method, path }) => `${method} ${path}`).filter((name) => !known.has(name)), ['GET /orch/v1/status']);
  });

  it('answer a malformed URL with 400', async () => {
    await using under = await testApi();
    const response = await under.api.inject('/services/%E0%A4%A');
    assert.equal(response.statusCode, 400);
    assertDocker('ErrorResponse', response.json());
  });
});

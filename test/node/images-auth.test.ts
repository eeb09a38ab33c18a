import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, after, describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import type { RegistryAuth } from '../../model/image-pull.ts';
import { testStore, tar } from '../../runtime/images/testing.ts';
import type { TestStore } from '../../runtime/images/testing.ts';
import { HttpClient } from '../../runtime/registry/http-client.ts';
import { connectionFailure } from '../../runtime/registry/registry-failure.ts';
import { readRegistryCertificates } from '../../runtime/registry/registry-certificates.ts';
import { RegistryClient } from '../../runtime/registry/registry-client.ts';
import { FakeRegistry, sendError } from './images-fake-registry.ts';

const base = await tar([{ name: 'etc/name', content: 'base' }]);
const registry = { retryBaseMs: 1, timeoutMs: 2000 };
const pullingStore = (): Promise<TestStore> => testStore({ registry });
const basic = (auth: { username: string; password: string }): string => `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
const user = { username: 'ann', password: 'a:secret' };

/** A registry whose content needs a token from the token server, which knows `user` and a refresh token. */
async function withTokens(run: (servers: { content: FakeRegistry; tokens: FakeRegistry; issued: string[] }) => Promise<void>, options: { anonymous?: boolean; expiresIn?: number; valid?: (token: string) => boolean } = {}): Promise<void> {
  await using content = await FakeRegistry.start();
  await using tokens = await FakeRegistry.start();
  const issued: string[] = [];
  tokens.intercept = ({ headers, body, method }, response) => {
    const form = new URLSearchParams(body);
    const known = options.anonymous || headers.authorization === basic(user) || (method === 'POST' && form.get('refresh_token') === 'refresh-me');
    if (!known) return sendError(response, { status: 401, code: 'UNAUTHORIZED', message: 'incorrect username or password' });
    issued.push(`token${issued.length}`);
    response.writeHead(200).end(JSON.stringify({ [method === 'POST' ? 'access_token' : 'token']: issued.at(-1), expires_in: options.expiresIn ?? 300 }));
    return true;
  };
  const valid = options.valid ?? (() => true);
  content.intercept = ({ headers, path }, response) => {
    if (path === '/v2/') return false;
    const token = headers.authorization?.replace(/^Bearer /, '');
    if (token !== undefined && issued.includes(token) && valid(token)) return false;
    const challenge = `Bearer realm="http://${tokens.host}/token",service="my registry",scope="repository:team/web:pull"`;
    return sendError(response, { status: 401, code: 'UNAUTHORIZED', message: 'authentication required', headers: { 'www-authenticate': challenge } });
  };
  content.push('team/web:1', { layers: [base] });
  await run({ content, tokens, issued });
}

describe('logging in to a registry', () => {
  it('gets a token without a name where anybody may pull', async () => {
    await withTokens(async ({ content, tokens, issued }) => {
      await using test = await pullingStore();
      await test.store.pull(content.reference('team/web:1'));
      assert.equal(issued.length, 1, 'one token serves the whole pull');
      assert.deepEqual(tokens.paths(), ['/token?service=my+registry&scope=repository%3Ateam%2Fweb%3Apull']);
      assert.equal(tokens.requests[0]?.headers.authorization, undefined);
    }, { anonymous: true });
  });

  it('gets a token with name and password', async () => {
    await withTokens(async ({ content, tokens }) => {
      await using test = await pullingStore();
      await test.store.pull(content.reference('team/web:1'), { auth: user });
      assert.equal(new URL(tokens.paths()[0] ?? '', 'http://x').searchParams.get('account'), 'ann');
      assert.ok(content.requests.every(({ headers }) => !headers.authorization?.startsWith('Basic')), 'the password goes to the token server only');
    });
  });

  it('trades an identity token for one', async () => {
    await withTokens(async ({ content, tokens }) => {
      await using test = await pullingStore();
      await test.store.pull(content.reference('team/web:1'), { auth: { identityToken: 'refresh-me' } });
      assert.deepEqual([tokens.requests[0]?.method, new URLSearchParams(tokens.requests[0]?.body).get('grant_type')], ['POST', 'refresh_token']);
    });
  });

  it('gets a new token when the old one is refused in the middle', async () => {
    let uses = 0;
    await withTokens(async ({ content, issued }) => {
      await using test = await pullingStore();
      await test.store.pull(content.reference('team/web:1'), { auth: user });
      assert.equal(issued.length, 2);
    }, { valid: (token) => token !== 'token0' || uses++ === 0 });
  });

  it('says in the words of the registry why it is not let in', async () => {
    await withTokens(async ({ content }) => {
      await using test = await pullingStore();
      for (const auth of [undefined, { username: 'ann', password: 'wrong' }, { identityToken: 'stale' }] satisfies (RegistryAuth | undefined)[]) {
        await assert.rejects(test.store.pull(content.reference('team/web:1'), auth && { auth }), {
          code: 'ORCH_UNAUTHORIZED', message: `Registry ${content.host} does not let us have "${content.host}/team/web:1": unauthorized: incorrect username or password`,
        });
      }
    });
    await withTokens(async ({ content, issued }) => {
      await using test = await pullingStore();
      await assert.rejects(test.store.pull(content.reference('team/web:1')), { code: 'ORCH_UNAUTHORIZED', message: /: unauthorized: authentication required$/ });
      assert.equal(issued.length, 1, 'a token that is refused is not asked for again and again');
    }, { anonymous: true, valid: () => false });
  });

  it('sends name and password where the registry wants them itself', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.push('web:1', { layers: [base] });
    server.intercept = ({ headers, path }, response) => path !== '/v2/' && headers.authorization !== basic(user)
      && sendError(response, { status: 401, code: 'UNAUTHORIZED', message: 'who are you', headers: { 'www-authenticate': 'Basic realm="x"' } });
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_UNAUTHORIZED' });
    await assert.rejects(test.store.pull(server.reference('web:1'), { auth: { ...user, password: 'no' } }), { code: 'ORCH_UNAUTHORIZED', message: /who are you/ });
    await test.store.pull(server.reference('web:1'), { auth: user });
  });

  it('tells a denied image from a missing login', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.intercept = (_request, response) => sendError(response, { status: 403, code: 'DENIED', message: 'requested access to the resource is denied' });
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_UNAUTHORIZED', message: `Registry ${server.host} denies access to "${server.host}/web:1": denied: requested access to the resource is denied` });
  });
});

describe('redirects of a registry', () => {
  it('are followed to another host without the login, and again from the start when that address has expired', async () => {
    await using server = await FakeRegistry.start();
    await using storage = await FakeRegistry.start();
    await using test = await pullingStore();
    const [digest = ''] = server.push('web:1', { layers: [base] }).layerDigests;
    let handed = 0;
    server.intercept = ({ headers, path }, response) => {
      if (path === '/v2/') return false;
      if (headers.authorization === undefined) return sendError(response, { status: 401, code: 'UNAUTHORIZED', message: 'no', headers: { 'www-authenticate': 'Basic realm="x"' } });
      if (!path.endsWith(digest)) return false;
      handed += 1;
      response.writeHead(307, { location: `http://${storage.host}/bucket?signature=${handed}` }).end();
      return true;
    };
    storage.intercept = ({ path }, response) => {
      if (path.endsWith('signature=1')) return sendError(response, { status: 403, code: 'EXPIRED', message: 'request has expired' });
      response.writeHead(200).end(server.blobs.get(digest));
      return true;
    };
    await test.store.pull(server.reference('web:1'), { auth: user });
    assert.deepEqual(storage.requests.map(({ path, headers }) => [path, headers.authorization]), [['/bucket?signature=1', undefined], ['/bucket?signature=2', undefined]]);
  });

  it('in a circle are an error', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.intercept = ({ path }, response) => {
      if (path === '/v2/') return false;
      response.writeHead(302, { location: path }).end();
      return true;
    };
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_REGISTRY', message: /more than 5 redirects/ });
  });
});

describe('registries with TLS', () => {
  let directory = '';
  let key = '';
  let cert = '';
  before(async function hasOpenssl() {
    if (!existsSync('/usr/bin/openssl')) {
      console.log('    skipped: openssl is not installed');
      return this.skip();
    }
    directory = await mkdtemp(join(tmpdir(), 'orch-tls-'));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem')], { stdio: 'ignore' });
    key = await readFile(join(directory, 'key.pem'), 'utf8');
    cert = await readFile(join(directory, 'cert.pem'), 'utf8');
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function serveTls(run: (host: string) => Promise<void>): Promise<void> {
    const server = createTlsServer({ key, cert }, (_request, response) => response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end('{}'));
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    try {
      await run(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    }
  }

  it('are asked by TLS even on this machine, whatever their certificate', async () => {
    await serveTls(async (host) => {
      using client = new RegistryClient({ domain: host, path: 'web', tag: '1' }, { clock: systemClock, random: seededRandom(1) });
      assert.equal((await client.fetchManifest('1')).text, '{}');
    });
  });

  it('elsewhere need a certificate that somebody vouches for, or one laid down for them', async () => {
    await serveTls(async (host) => {
      using strict = new HttpClient({ clock: systemClock, timeoutMs: 2000, insecure: false });
      const refused: unknown = await strict.send({ url: new URL(`https://${host}/`) }).catch((error: unknown) => connectionFailure(error, { host, what: 'web:1' }));
      assert.ok(refused instanceof Error && 'hint' in refused && String(refused.hint).startsWith('Add the certificate of its CA'), String(refused));
      await mkdir(join(directory, host));
      await writeFile(join(directory, host, 'ca.crt'), cert);
      using trusting = new HttpClient({ clock: systemClock, timeoutMs: 2000, insecure: false, tls: await readRegistryCertificates(directory, host) });
      const response = await trusting.send({ url: new URL(`https://${host}/`) });
      assert.equal(response.status, 200);
      for await (const chunk of response.body) assert.equal(chunk.toString(), '{}');
      assert.equal(await readRegistryCertificates(directory, 'elsewhere'), undefined);
    });
  });
});

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { after, before, beforeEach, describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import { RegistryClient } from '../../runtime/registry/registry-client.ts';
import { systemRandom } from '../../base/random.ts';
import { imageConfig, sha256, tar, testStore } from '../../runtime/images/testing.ts';
import type { TestImage } from '../../runtime/images/testing.ts';

const run = promisify(execFile);
const needed = ['/usr/bin/docker-registry', '/usr/bin/skopeo'];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

/** An OCI layout directory with one image, for skopeo to push. */
async function writeLayout(directory: string, image: TestImage): Promise<void> {
  await mkdir(join(directory, 'blobs/sha256'), { recursive: true });
  const put = async (mediaType: string, bytes: Buffer): Promise<object> => {
    await writeFile(join(directory, 'blobs/sha256', sha256(bytes).slice('sha256:'.length)), bytes);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const layers = await Promise.all(image.layers.map((layer) => put('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(layer))));
  const config = await put('application/vnd.oci.image.config.v1+json', Buffer.from(imageConfig(image)));
  const manifest = await put('application/vnd.oci.image.manifest.v1+json', Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers })));
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'web' } }] }));
}

describe('a real docker-registry', () => {
  let directory = '';
  let server: ChildProcess | undefined;
  let host = '';
  const image: TestImage = { layers: [], config: { Cmd: ['/bin/sh'] } };

  before(function hasRegistry() {
    const missing = needed.filter((path) => !existsSync(path));
    if (missing.length > 0) {
      console.log(`    skipped: ${missing.join(' and ')} not installed (apt-get install docker-registry skopeo)`);
      this.skip();
    }
  });

  // Not in `before`, where the process would be taken for one that the test file before has left.
  beforeEach(async () => {
    if (server !== undefined) return;
    directory = await mkdtemp(join(tmpdir(), 'orch-registry-'));
    const port = await freePort();
    host = `127.0.0.1:${port}`;
    await writeFile(join(directory, 'config.yml'), `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${directory}/data } }\nhttp: { addr: "${host}" }\n`);
    server = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
    for (let attempt = 0; !await answers(host); attempt += 1) {
      assert.ok(attempt < 200, 'docker-registry does not start');
      await systemClock.sleep(50);
    }
    const layers = [await tar([{ name: 'etc/', type: 'directory' }, { name: 'etc/name', content: 'base' }]), await tar([{ name: 'etc/name', content: 'top' }])];
    Object.assign(image, { layers });
    await writeLayout(join(directory, 'layout'), image);
    for (const [tag, format] of [['oci', 'oci'], ['docker', 'v2s2']] as const) {
      await run('skopeo', ['copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false', '--format', format, `oci:${join(directory, 'layout')}:web`, `docker://${host}/team/web:${tag}`]);
    }
  });

  after(async () => {
    if (server !== undefined) {
      const exited = new Promise((resolve) => { server?.once('exit', resolve); });
      server.kill('SIGKILL');
      await exited;
    }
    await rm(directory, { recursive: true, force: true });
  });

  for (const tag of ['oci', 'docker']) {
    it(`gives us an image pushed in ${tag} format, and the same by its digest`, async () => {
      await using test = await testStore();
      const pulled = await test.store.pull(parseImageReference(`${host}/team/web:${tag}`));
      assert.deepEqual(pulled.diffIds, image.layers.map(sha256));
      assert.deepEqual(pulled.config.cmd, ['/bin/sh']);
      const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${host}/team/web:${tag}`]);
      assert.deepEqual(pulled.repoDigests, [`${host}/team/web@${stdout.trim()}`]);
      await using other = await testStore();
      assert.equal((await other.store.pull(parseImageReference(`${host}/team/web@${stdout.trim()}`))).id, pulled.id);
    });
  }

  it('resumes a blob from any byte', async () => {
    const blob = gzipSync(image.layers[0] ?? '');
    using client = new RegistryClient(parseImageReference(`${host}/team/web:oci`), { clock: systemClock, random: systemRandom });
    const { offset, body } = await client.openBlob(sha256(blob), 20);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    assert.equal(offset, 20);
    assert.deepEqual(Buffer.concat(chunks), blob.subarray(20));
  });

  it('says in its own words what it does not have', async () => {
    await using test = await testStore();
    await assert.rejects(test.store.pull(parseImageReference(`${host}/team/web:gone`)), { code: 'ORCH_NOT_FOUND', message: `Registry ${host} has no "${host}/team/web:gone": manifest unknown` });
    await assert.rejects(test.store.pull(parseImageReference(`${host}/nobody/web`)), { code: 'ORCH_NOT_FOUND', message: /manifest unknown/ });
  });
});

async function answers(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).ok;
  } catch {
    return false;
  }
}

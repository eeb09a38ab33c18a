import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import type { ContainerCreate } from '../../runtime/engine.ts';
import { dockerArchive, inPieces, tar, type TestEntry } from '../../runtime/images/testing.ts';
import { busyboxLayer } from '../support/busybox-root.ts';
import { ContainerLab } from '../support/container-lab.ts';
import { containerRequest } from '../support/container-request.ts';

describe('an image that means harm', () => {
  let lab: ContainerLab;
  let outside = '';
  let secret = '';
  before(async () => {
    lab = await ContainerLab.open();
    outside = join(lab.directory, 'outside');
    mkdirSync(outside);
    secret = join(outside, 'secret');
    writeFileSync(secret, 'root:x:4711:4711:::\n');
  });
  after(() => lab[Symbol.asyncDispose]());

  const link = (name: string, linkname: string): TestEntry => ({ name, type: 'symlink', linkname });
  /** Up to the host's root from any depth. */
  const upTo = (path: string): string => `${'../'.repeat(20)}${path.slice(1)}`;

  /** A container of an image with these entries above busybox. */
  async function containerOf(name: string, entries: readonly TestEntry[], request: readonly string[] | Partial<ContainerCreate>): Promise<string> {
    await lab.images.load(inPieces(await dockerArchive([{ tags: [`${name}:latest`], layers: [await busyboxLayer(), await tar(entries)] }]), 1 << 16));
    const create = { ...containerRequest([], { image: name }), ...('length' in request ? { command: request } : request) };
    await lab.engine.create(create);
    return create.id;
  }

  async function outputOf(id: string): Promise<string> {
    await lab.engine.start(id);
    await lab.engine.wait(id, AbortSignal.timeout(20_000));
    return await lab.output(id);
  }

  it('cannot have users read from the node\'s files by a link', async () => {
    for (const [name, target] of [['absolute', secret], ['relative', upTo(secret)]] as const) {
      const id = await containerOf(`users-${name}`, [link('etc/passwd', target)], ['id', '-u']);
      assert.equal(await outputOf(id), '0\n', name);
    }
  });

  it('cannot keep orch reading for ever', async () => {
    const id = await containerOf('users-endless', [link('etc/passwd', '/dev/zero'), { name: 'etc/group', type: 'fifo' }], ['id', '-u']);
    assert.equal(lab.engine.find(id)?.state, 'created');
  });

  it('has links inside of it followed', async () => {
    const id = await containerOf('users-inside', [link('etc/passwd', '/real/passwd'), { name: 'real/passwd', content: 'root:x:0:0::/inside:/bin/sh\n' }], ['sh', '-c', 'echo $HOME']);
    assert.equal(await outputOf(id), '/inside\n');
  });

  it('cannot have orch\'s files or mounts land outside by a link', async () => {
    const entries = [link('etc/hosts', join(outside, 'made-hosts')), link('etc/resolv.conf', upTo(join(outside, 'made-resolv'))), link('etc/hostname', '/var/../../../../tmp/made-hostname')];
    const id = await containerOf('links', entries, ['sh', '-c', 'cat /etc/hosts']);
    assert.match(await outputOf(id), /^127\.0\.0\.1\tlocalhost\n/);
    assert.deepEqual(readdirSync(outside), ['secret']);
    assert.ok(!existsSync('/tmp/made-hostname'));
  });

  it('cannot replace the kernel\'s directories by links', async () => {
    // runc 1.1.5 itself follows such a link for /dev and makes its own links in the directory outside.
    for (const name of ['dev', 'proc', 'sys']) {
      const id = await containerOf(`kernel-${name}`, [link(name, outside)], ['true']);
      await assert.rejects(lab.engine.start(id), (error) => isOrchError(error, 'ORCH_RUNTIME') && error.message.includes(`/${name} of its root`) || assert.fail(String(error)));
      assert.deepEqual(readdirSync(outside), ['secret']);
    }
  });

  it('cannot swap them for links while it runs, to be followed at the next start', async () => {
    const script = `umount -l /dev && rmdir /dev && ln -s ${outside} /dev && readlink /dev`;
    const id = await containerOf('swapped', [], { command: ['sh', '-c', script], capabilityAdd: ['SYS_ADMIN'] });
    assert.equal(await outputOf(id), `${outside}\n`);
    await assert.rejects(lab.engine.start(id), (error) => isOrchError(error, 'ORCH_RUNTIME') && error.message.includes('/dev of its root'));
    assert.deepEqual(readdirSync(outside), ['secret']);
  });

  it('may lack them', async () => {
    const id = (await containerOf('bare', ['dev', 'proc', 'sys'].map((name) => ({ name: `.wh.${name}`, content: '' })), ['sh', '-c', 'ls -d /dev/null /proc/self /sys/kernel']));
    assert.equal(await outputOf(id), '/dev/null\n/proc/self\n/sys/kernel\n');
  });

  it('may lack them, and every user reaches the devices all the same', async () => {
    const request = { command: ['sh', '-c', 'echo x > /dev/null && head -c 2 /dev/zero | wc -c'], user: '4711' };
    assert.equal(await outputOf(await containerOf('bare', ['dev', 'proc', 'sys'].map((name) => ({ name: `.wh.${name}`, content: '' })), request)), '2\n');
  });

  it('cannot have a mount of the request land outside by a link', async () => {
    await lab.images.load(inPieces(await dockerArchive([{ tags: ['target:latest'], layers: [await busyboxLayer(), await tar([link('data', upTo(outside))])] }]), 1 << 16));
    const request = containerRequest(['sh', '-c', 'echo x > /data/written; ls /data'], { image: 'target', mounts: [{ type: 'tmpfs', source: '', target: '/data', readOnly: false }] });
    await lab.engine.create(request);
    assert.equal(await outputOf(request.id), 'written\n');
    assert.deepEqual(readdirSync(outside), ['secret']);
    assert.equal(readFileSync(secret, 'utf8'), 'root:x:4711:4711:::\n');
  });
});

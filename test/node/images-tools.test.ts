import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { testStore } from '../../runtime/images/testing.ts';

const run = promisify(execFile);
const needed = ['/usr/bin/umoci', '/usr/bin/skopeo'];
/** Everything that a file system says of itself but inode numbers; directories' sizes differ between file systems. */
const LIST = String.raw`cd "$1" && find . -mindepth 1 \( -type d -printf '%y %m %U %G %p\n' \) -o -printf '%y %m %U %G %s %l %p\n' | sort -k 1,1 -k 7`;

describe('images made by other tools', () => {
  let directory = '';
  const layout = (): string => join(directory, 'layout');

  before(async function buildImage() {
    const missing = needed.filter((path) => !existsSync(path));
    if (missing.length > 0 || process.getuid?.() !== 0) {
      console.log(`    skipped: needs root and ${needed.join(' and ')} (apt-get install umoci skopeo)`);
      return this.skip();
    }
    directory = await mkdtemp(join(tmpdir(), 'orch-tools-'));
    await run('umoci', ['init', '--layout', layout()]);
    await run('umoci', ['new', '--image', `${layout()}:web`]);
    const steps = [
      'mkdir -p usr/bin etc/conf.d var/spool opt/app/deep; echo one > etc/conf.d/one; echo two > etc/conf.d/two; ln -s usr/bin bin; echo tool > usr/bin/tool; chmod 4755 usr/bin/tool; ln usr/bin/tool usr/bin/same; echo x > opt/app/deep/file; mknod null c 1 3; chown 12:34 var/spool; chmod 1777 var/spool; mkfifo var/pipe',
      'rm etc/conf.d/one; rm -r opt/app/deep; echo changed > etc/conf.d/two; chmod 700 var/spool; rm bin; mkdir bin; echo real > bin/sh',
      'rm -r etc; echo "now a file" > etc; mkdir -p opt/app/deep; echo again > opt/app/deep/new; rm usr/bin/same',
    ];
    for (const [index, step] of steps.entries()) {
      const bundle = join(directory, `bundle${index}`);
      await run('umoci', ['unpack', '--image', `${layout()}:web`, bundle]);
      await run('sh', ['-ec', step], { cwd: join(bundle, 'rootfs') });
      await run('umoci', ['repack', '--image', `${layout()}:web`, bundle]);
    }
    await run('umoci', ['unpack', '--image', `${layout()}:web`, join(directory, 'expected')]);
  });

  after(() => rm(directory, { recursive: true, force: true }));

  it('look through overlayfs as umoci unpacks them, layer by layer', async () => {
    await using test = await testStore();
    const [image] = await test.store.loadLayout(layout());
    assert.equal(image?.diffIds.length, 3);
    const { lowerDirs } = await test.store.acquireLayers(image.id, 'c');
    const merged = join(directory, 'merged');
    await mkdir(merged);
    await writeFile(join(directory, 'list.sh'), LIST);
    const { stdout } = await run('unshare', ['-m', 'sh', '-ec', `mount -t overlay overlay -o lowerdir=${lowerDirs.join(':')} ${merged}; sh ${directory}/list.sh ${merged}`]);
    const expected = await run('sh', [join(directory, 'list.sh'), join(directory, 'expected/rootfs')]);
    assert.ok(stdout.split('\n').length > 12);
    assert.equal(stdout, expected.stdout);
  });

  for (const [kind, suffix] of [['docker-archive', ':registry.local/team/web:7'], ['oci-archive', ':registry.local/team/web:7']] as const) {
    it(`come in through ${kind} of skopeo`, async () => {
      await using test = await testStore();
      const [original] = await test.store.loadLayout(layout());
      const file = join(directory, `${kind}.tar`);
      await run('skopeo', ['copy', '--quiet', '--insecure-policy', `oci:${layout()}:web`, `${kind}:${file}${suffix}`]);
      const [image] = await test.store.load(createReadStream(file));
      assert.deepEqual(image?.tags, ['registry.local/team/web:7']);
      assert.deepEqual(image.diffIds, original?.diffIds);
    });
  }
});

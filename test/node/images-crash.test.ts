import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import { dockerArchive, tar, testStore } from '../../runtime/images/testing.ts';

const small = await tar([{ name: 'etc/name', content: 'small' }]);
const FILES = 8_000;

/** Names below a directory; those that vanish while one looks are left out. */
async function count(directory: string): Promise<number> {
  try {
    return (await readdir(directory, { recursive: true })).length;
  } catch {
    return 0;
  }
}

describe('an image store whose process is killed', () => {
  const moments = {
    'while it reads the archive': async (dataDir: string) => await count(join(dataDir, 'tmp')) > 0,
    'while it unpacks': async (dataDir: string) => await count(join(dataDir, 'l')) > 500,
  };
  for (const [moment, reached] of Object.entries(moments)) {
    it(`${moment} has all images it had, and nothing of the one it was at`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'orch-crash-'));
      const dataDir = join(directory, 'images');
      const big = await tar(Array.from({ length: FILES }, (_, index) => ({ name: `d${index % 100}/f${index}`, content: randomBytes(3000) })));
      await writeFile(join(directory, 'small.tar'), await dockerArchive([{ tags: ['small:1'], layers: [small] }]));
      await writeFile(join(directory, 'big.tar'), await dockerArchive([{ tags: ['big:1'], layers: [small, big] }]));
      const child = spawn(process.execPath, [fileURLToPath(new URL('./images-crash-child.ts', import.meta.url)), dataDir, join(directory, 'small.tar'), join(directory, 'big.tar')], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = new Promise((resolve) => { child.once('exit', (_code, signal) => resolve(signal)); });
      try {
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
        const deadlineMs = systemClock.monotonic() + 30_000;
        while (!(output.includes('small.tar') && await reached(dataDir))) {
          assert.ok(systemClock.monotonic() < deadlineMs && child.exitCode === null, `never ${moment}: ${output}`);
          await systemClock.sleep(1);
        }
      } finally {
        child.kill('SIGKILL');
      }
      assert.equal(await exited, 'SIGKILL');
      await using test = await testStore({ dataDir });
      assert.deepEqual(test.store.list().map(({ tags }) => tags), [['small:1']]);
      const { lowerDirs: [lower = ''] } = await test.store.acquireLayers(test.store.list()[0]?.id ?? '', 'c');
      assert.equal(await readFile(join(lower, 'etc/name'), 'utf8'), 'small');
      assert.deepEqual([(await readdir(join(dataDir, 'l'))).length, (await readdir(join(dataDir, 'blobs/sha256'))).length, (await readdir(join(dataDir, 'tmp'))).length], [1, 3, 0]);
      await test.store.load((async function* archive() { yield await readFile(join(directory, 'big.tar')); })());
      assert.equal(test.store.list().length, 2);
      await rm(directory, { recursive: true, force: true });
    });
  }
});

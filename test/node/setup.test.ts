import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { existsSync, globSync, lstatSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { skipTest } from '../support/skip.ts';

const root = join(import.meta.dirname, '../..');
const setup = join(root, 'deploy/setup.sh');

type Ran = { readonly exitCode: number; readonly output: string };
const run = (program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> => new Promise((resolve) => {
  execFile(program, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => resolve({ exitCode: error === null ? 0 : Number(error.code), output: stdout + stderr }));
});

/** What setup makes in the checkout, with the times at which each was last written. */
const made = (): string[] => ['node_modules/.orch-lock', 'node_modules/.package-lock.json', ...globSync('{node_modules/.cache,runtime/shim}/**/orch-shim*', { cwd: root })]
  .filter((path) => existsSync(join(root, path))).map((path) => `${path} ${lstatSync(join(root, path)).mtimeMs}`);

/** Whether the checkout is as setup leaves it; running it would otherwise install packages below running tests. */
function isSetUp(): boolean {
  const stamp = join(root, 'node_modules/.orch-lock');
  return existsSync(stamp) && readFileSync(stamp, 'utf8').startsWith(createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex'));
}

describe('deploy/setup.sh', () => {
  let folder = '';
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'orch-setup-')); });
  after(() => rm(folder, { recursive: true, force: true }));

  it('does nothing the second time, without a word and without the network, and puts back a link that is gone', async function () {
    if (!isSetUp()) skipTest(this, 'deploy/setup.sh has not run since package-lock.json changed');
    const before = made();
    assert.ok(before.length > 0);
    const links = join(folder, 'links');
    await mkdir(links);
    // An empty /usr/local/bin of its own, and no network but its own loopback.
    const inside = `mount --bind "$1" /usr/local/bin && "$2" test && readlink /usr/local/bin/orch && touch -h -d @1 /usr/local/bin/orch && "$2" test && stat -c %Y /usr/local/bin/orch`;
    const { exitCode, output } = await run('unshare', ['-m', '-n', 'sh', '-ec', inside, 'sh', links, setup]);
    assert.deepEqual([exitCode, output], [0, `${join(root, 'bin/orch')}\n1\n`]);
    assert.deepEqual(made(), before, 'nothing was written again');
  });

  it('refuses users who may not install, and machines that there is no Node.js for, before it changes anything', async () => {
    const fakes = join(folder, 'fakes');
    await mkdir(fakes);
    const withFake = async (name: string, output: string): Promise<Ran> => {
      await writeFile(join(fakes, name), `#!/bin/sh\necho ${output}\n`, { mode: 0o755 });
      const ran = await run(setup, [], { PATH: `${fakes}:${process.env['PATH'] ?? ''}` });
      await rm(join(fakes, name));
      return ran;
    };
    assert.deepEqual(await withFake('id', '1000'), { exitCode: 1, output: `orch setup: must run as root (try: sudo ${setup})\n` });
    assert.deepEqual(await withFake('uname', 'riscv64'), { exitCode: 1, output: 'orch setup: no Node.js build for riscv64; x86_64 and aarch64 are supported\n' });
  });
});

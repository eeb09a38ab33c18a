import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { ORCH_VERSION } from '../../base/version.ts';
import { errorCodes } from '../../model/errors.ts';

const root = join(import.meta.dirname, '../..');
const launcher = join(root, 'bin/orch');

type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

describe('bin/orch', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orch launcher ')); // with blanks, as any directory may have
    await mkdir(join(folder, 'fake'));
    for (const name of ['node', 'nodejs']) await writeFile(join(folder, 'fake', name), '#!/bin/sh\necho "this is some other Node.js"\nexit 42\n', { mode: 0o755 });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs a program in a directory of its own, where `node` is first on the PATH and not Node.js. */
  function run(program: string, args: readonly string[], { cwd = folder, env = {} }: { cwd?: string; env?: Record<string, string> } = {}): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(program, args, { cwd, env: { PATH: `${join(folder, 'fake')}:/usr/sbin:/usr/bin:/sbin:/bin`, ...env } }, (error, stdout, stderr) => resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr }));
    });
  }

  it('starts Node 26 whatever `node` is first on the PATH', async () => {
    assert.equal((await run('node', [])).exitCode, 42, 'the other one is first');
    const { exitCode, stdout, stderr } = await run(launcher, ['--version'], { env: { NODE_OPTIONS: '--import=data:text/javascript,console.error(process.version,process.execPath)' } });
    assert.deepEqual([exitCode, stdout.includes(ORCH_VERSION)], [0, true], stderr);
    assert.match(stderr, /^v26\./);
    assert.ok(stderr.includes(join(root, 'node_modules/node-linux-')), stderr);
  });

  it('works from any directory, by a relative path, by the PATH and through links to links', async () => {
    const expected = (await run(launcher, ['--version'])).stdout;
    assert.notEqual(expected, '');
    await mkdir(join(folder, 'far/away'), { recursive: true });
    await symlink(launcher, join(folder, 'absolute'));
    await symlink(join('..', 'absolute'), join(folder, 'far/relative'));
    await symlink(join('..', 'relative'), join(folder, 'far/away/orch'));
    const ways: [string, { cwd?: string; env?: Record<string, string> }][] = [
      [join(folder, 'absolute'), {}], [join(folder, 'far/away/orch'), { cwd: '/' }], ['./orch', { cwd: join(folder, 'far/away') }], [relative(folder, launcher), {}],
      ['orch', { env: { PATH: `${join(folder, 'far/away')}:/usr/bin:/bin` } }],
    ];
    for (const [program, options] of ways) assert.deepEqual(await run(program, ['--version'], options), { exitCode: 0, stdout: expected, stderr: '' }, program);
  });

  it('passes words on as they are, and the exit code back', async () => {
    const { exitCode, stdout, stderr } = await run(launcher, ['no such', '$HOME', '*']);
    assert.deepEqual([exitCode, stdout], [errorCodes.ORCH_USAGE.exit, ''], stderr);
    assert.match(stderr, /no such/);
  });

  it('keeps flags that Node.js has too for the command', async () => {
    const missing = await run(launcher, ['service', 'create', '--env-file', join(folder, 'missing'), 'demo:1']);
    assert.deepEqual([missing.exitCode, missing.stderr.split(':')[0]], [errorCodes.ORCH_INVALID.exit, 'orch'], missing.stderr);
    await writeFile(join(folder, 'variables'), 'NODE_OPTIONS=--no-such-flag\n');
    const { stderr } = await run(launcher, ['-H', `unix://${folder}/no.sock`, 'service', 'create', '--env-file', join(folder, 'variables'), 'demo:1']);
    assert.ok(stderr.includes('no.sock'), stderr);
  });

  it('says what to do where Node.js was not installed', async () => {
    const bare = join(folder, 'bare');
    await mkdir(join(bare, 'bin'), { recursive: true });
    await copyFile(launcher, join(bare, 'bin/orch'));
    await chmod(join(bare, 'bin/orch'), 0o755);
    const { exitCode, stdout, stderr } = await run(join(bare, 'bin/orch'), ['--version']);
    assert.deepEqual([exitCode, stdout, stderr], [1, '', `orch: Node.js is not installed in ${bare}/node_modules; run ${bare}/deploy/setup.sh\n`]);
  });
});

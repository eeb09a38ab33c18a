import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';

const root = join(import.meta.dirname, '../..');

/** What a test may leave behind, as its text; each keeps Node running. */
const leaks = {
  'a timer': ['1 Timeout', 'setTimeout(() => {}, 600_000);'],
  'an interval': ['1 Timeout', 'setInterval(() => {}, 1_000);'],
  'a listening socket': ['1 TCPServerWrap', "await new Promise((resolve) => require('node:net').createServer().listen(0, '127.0.0.1', resolve));"],
  'a process': ['1 ProcessWrap', "require('node:child_process').spawn('sleep', ['600'], { stdio: 'ignore' });"],
  'a watched file': ['1 FSEventWrap', "require('node:fs').watch(__filename);"],
} as const;

describe('the leak hook', function () {
  this.timeout(60_000);
  let folder = '';
  const runs = new Map<string, Promise<{ exitCode: number; output: string }>>();
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orch-leaks-'));
    for (const [what, [, body]] of Object.entries(leaks)) runs.set(what, runPlanted(what, ['', body, '']));
  });
  after(async () => {
    await Promise.all(runs.values());
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs mocha with the hook over files of one passing test each. Planted processes end with their mocha. */
  async function runPlanted(what: string, bodies: readonly string[]): Promise<{ exitCode: number; output: string }> {
    const files = await Promise.all(bodies.map(async (body, at) => {
      const file = join(folder, `${what} ${at}.cjs`);
      await writeFile(file, `describe('file ${at}', () => { it('passes', async () => { ${body} }); });\nprocess.once('exit', () => { for (const handle of process._getActiveHandles()) if (handle.spawnfile) handle.kill('SIGKILL'); });\n`);
      return file;
    }));
    return await new Promise((resolve) => {
      const argv = [join(root, 'node_modules/mocha/bin/mocha.js'), '--no-config', '--exit', '--require', join(root, 'test/support/leaks.ts'), ...files];
      execFile(process.execPath, argv, { cwd: root }, (error, stdout, stderr) => resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }));
    });
  }

  for (const [what, [name]] of Object.entries(leaks)) {
    it(`fails the file that leaves ${what}, by its name, and no other`, async () => {
      const { exitCode, output } = await runs.get(what) ?? assert.fail();
      assert.equal(exitCode, 1, output);
      assert.match(output, /3 passing[^]*1 failing/, output);
      assert.ok(output.includes(`${what} 1.cjs leaves behind: ${name}\n`), output);
    });
  }

  it('says nothing of tests that clean up, also a little later', async () => {
    const { exitCode, output } = await runPlanted('nothing', ['clearTimeout(setTimeout(() => {}, 600_000));', 'setTimeout(() => {}, 100);', 'setInterval(() => {}, 1_000).unref();']);
    assert.equal(exitCode, 0, output);
    assert.match(output, /3 passing/);
    assert.doesNotMatch(output, /failing|leaves behind/);
  });
});

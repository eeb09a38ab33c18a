import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import { isOrchError } from '../../model/errors.ts';
import { findShimBinary } from '../../runtime/shim-binary.ts';
import { ShimClient } from '../../runtime/shim-client.ts';
import { encodeFrame, fieldTags, frameTypes, type FieldTag } from '../../runtime/shim/frames.ts';
import { skipTest } from '../support/skip.ts';

describe('orch-shim', () => {
  let folder = '';
  let shim: ShimClient;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'orch-shim-'));
    shim = await ShimClient.open({ binary: await findShimBinary(process.env['ORCH_TEST_SHIM']), socket: join(folder, 's'), clock: systemClock });
  });
  after(async () => {
    await shim[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  describe('programs that orch-shim runs', () => {
    it('get input, arguments, environment and directory, and give output and exit code', async () => {
      const result = await shim.run(['sh', '-c', 'cat; echo "$1 $A $PWD" >&2; env | wc -l; exit 9', 'sh', 'two words'], { stdin: 'in\n', env: { A: 'b', PATH: '/usr/bin:/bin' }, cwd: '/tmp' });
      assert.deepEqual(result, { exitCode: 9, stdout: 'in\n3\n', stderr: 'two words b /tmp\n' });
    });

    it('are told apart when many run at once', async () => {
      const results = await Promise.all(Array.from({ length: 200 }, (_unused, index) => shim.run(['sh', '-c', `echo ${index}; exit ${index % 100}`])));
      for (const [index, result] of results.entries()) assert.deepEqual(result, { exitCode: index % 100, stdout: `${index}\n`, stderr: '' });
    });

    it('may read and write more than a pipe holds; of output the first MiB is kept', async () => {
      assert.equal((await shim.run(['wc', '-c'], { stdin: 'x'.repeat(3_000_000) })).stdout.trim(), '3000000');
      assert.equal((await shim.run(['head', '-c', '3000000', '/dev/zero'])).stdout.length, 1 << 20);
      assert.equal((await shim.run(['true'], { stdin: 'x'.repeat(3_000_000) })).exitCode, 0, 'input that nobody reads');
    });

    it('inherit nothing: three descriptors, no blocked or ignored signal', async () => {
      assert.equal((await shim.run(['sh', '-c', 'ls /proc/self/fd | wc -l'])).stdout.trim(), '4'); // the fourth is that of ls itself
      const { stdout } = await shim.run(['grep', '-E', '^Sig(Blk|Ign)', '/proc/self/status']);
      assert.deepEqual(stdout.trim().split('\n').map((line) => line.split('\t')[1]), ['0000000000000000', '0000000000000000']);
    });

    it('may hold their output open in the background after they have ended', async () => {
      const result = await shim.run(['sh', '-c', 'sleep 5 & echo done']);
      assert.deepEqual(result, { exitCode: 0, stdout: 'done\n', stderr: '' });
    });

    it('report the signal that ended them', async () => {
      assert.equal((await shim.run(['sh', '-c', 'kill -TERM $$'])).exitCode, 143);
    });

    it('are killed with their children when time is up or nobody wants them any more', async () => {
      await assert.rejects(shim.run(['sh', '-c', 'sleep 1000; true'], { timeoutMs: 50 }), (error) => isOrchError(error, 'ORCH_TIMEOUT') && error.message.includes('50 ms'));
      const abort = new AbortController();
      const running = shim.run(['sleep', '1000'], { signal: abort.signal });
      setImmediate(() => abort.abort(new Error('unwanted')));
      await assert.rejects(running, /unwanted/);
    });

    it('enter a network namespace', async () => {
      const name = `orch-shim-${process.pid}`;
      execFileSync('ip', ['netns', 'add', name]);
      try {
        const inside = (await shim.run(['readlink', '/proc/self/ns/net'], { netns: `/run/netns/${name}` })).stdout.trim();
        assert.match(inside, /^net:\[\d+\]$/);
        assert.notEqual(inside, readlinkSync('/proc/self/ns/net'));
      } finally {
        execFileSync('ip', ['netns', 'delete', name]);
      }
    });

    it('are named with the reason when they cannot be started', async () => {
      const fails = (argv: string[], options: object, text: string): Promise<void> =>
        assert.rejects(shim.run(argv, options), (error) => isOrchError(error, 'ORCH_RUNTIME') && error.message.includes(text) || assert.fail(String(error)));
      await fails(['no-such-program'], {}, '"no-such-program": no such file');
      await fails(['/etc/passwd'], {}, 'permission denied');
      await fails(['true'], { netns: '/run/netns/none' }, 'network namespace: no such file');
      await fails(['true'], { cwd: '/none' }, 'working directory: no such file');
      await fails([], {}, 'arguments');
    });
  });

  describe('clients of orch-shim', () => {
    it('share one server, of which there is never a second', async () => {
      const socket = join(folder, 'shared');
      const options = { binary: await findShimBinary(process.env['ORCH_TEST_SHIM']), socket, clock: systemClock };
      const clients = await Promise.all([1, 2, 3].map(() => ShimClient.open(options)));
      const parents = await Promise.all(clients.map(async (client) => (await client.run(['sh', '-c', 'echo $PPID'])).stdout));
      assert.equal(new Set(parents).size, 1);
      for (const client of clients) await client[Symbol.asyncDispose]();
    });

    it('refuse a path that no socket can have', async () => {
      const options = { binary: await findShimBinary(), socket: join(folder, 'x'.repeat(100)), clock: systemClock };
      await assert.rejects(ShimClient.open(options), (error) => isOrchError(error, 'ORCH_INVALID'));
    });

    it('refuse what is no program', async () => {
      await assert.rejects(findShimBinary('/etc/passwd'), (error) => isOrchError(error, 'ORCH_RUNTIME') && error.message.includes('/etc/passwd'));
    });
  });

  describe('the frame parser in C', () => {
    it('survives any bytes under the address sanitizer, and finds the frames in them', async function () {
      const source = join(import.meta.dirname, '../../runtime/shim');
      const program = join(folder, 'frame-check');
      const built = spawnSync('cc', ['-std=gnu17', '-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover', '-Wall', '-Wextra', '-Werror', '-I', source,
        '-o', program, join(source, 'frame-check.c'), join(source, 'frame.c')], { encoding: 'utf8' });
      if (built.error || /cannot find -lasan|unrecognized/.test(built.stderr)) skipTest(this, 'the C compiler has no address sanitizer');
      assert.equal(built.status, 0, built.stderr);
      const check = (bytes: Buffer): string => {
        const { status, stdout, stderr } = spawnSync(program, { input: bytes, encoding: 'utf8' });
        assert.equal(status, 0, stderr);
        return stdout;
      };
      const tags = Object.keys(fieldTags).filter((tag): tag is FieldTag => tag in fieldTags);
      const frame = fc.array(fc.tuple(fc.constantFrom(...tags), fc.uint8Array({ maxLength: 40 })), { maxLength: 6 }).map((fields) => encodeFrame(frameTypes.start, 7, fields));
      const damage = fc.tuple(frame, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })).map(([bytes, changes]) => {
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
      // One process checks many inputs: each is given with its length before it.
      const inputs = fc.sample(fc.oneof(damage, fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))), { numRuns: 3000, seed: 1 });
      check(Buffer.concat(inputs.flatMap((bytes) => [lengthPrefix(bytes), bytes])));
      const good = Buffer.concat([encodeFrame(frameTypes.run, 5, [['arg', 'a'], ['arg', 'b'], ['exitCode', 3]]), encodeFrame(frameTypes.hello, 6, [])]);
      assert.equal(check(Buffer.concat([lengthPrefix(good), good])), 'type 3 request 5 args 2 number 3\ntype 1 request 6 args 0 number 4294967295\nend 0\n');
    });
  });

  function lengthPrefix(bytes: Buffer): Buffer {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(bytes.length);
    return prefix;
  }
});

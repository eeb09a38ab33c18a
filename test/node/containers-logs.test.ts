import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { ContainerLab } from '../support/container-lab.ts';
import type { LogRecord } from '../../runtime/engine.ts';

const inTime = (): AbortSignal => AbortSignal.timeout(20_000);
const everything = { stdout: true, stderr: true, follow: false, sinceMs: 0, untilMs: 0, tail: Infinity };

describe('container logs', () => {
  let lab: ContainerLab;
  before(async () => { lab = await ContainerLab.open(); });
  after(() => lab[Symbol.asyncDispose]());

  async function ended(script: string): Promise<string> {
    const id = await lab.create(['sh', '-c', script]);
    await lab.engine.start(id);
    await lab.engine.wait(id, inTime());
    return id;
  }

  const read = async (id: string, changes = {}): Promise<LogRecord[]> => await Array.fromAsync(lab.engine.logs(id, { ...everything, ...changes }, inTime()));

  describe('logs of a container', () => {
    it('keep streams apart and lines in order, with the time of each', async () => {
      const id = await ended('echo one; echo two >&2; sleep 0.05; echo three');
      const records = await read(id, { stderr: false });
      assert.deepEqual(records.map(({ line }) => Buffer.from(line).toString()), ['one', 'three']);
      assert.deepEqual((await read(id, { stdout: false })).map(({ stream, line }) => [stream, Buffer.from(line).toString()]), [['stderr', 'two']]);
      const container = lab.engine.find(id);
      const times = records.map(({ time }) => Temporal.Instant.from(time).epochMilliseconds);
      assert.ok((times[0] ?? 0) >= (container?.createdAtMs ?? Infinity) - 1 && (times[1] ?? Infinity) <= (container?.exitedAtMs ?? 0) + 1);
      assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 40);
    });

    it('hold every byte of much output, and of the last moment', async () => {
      const id = await ended('seq 1 200000; seq 1 1000 >&2; printf "no newline"');
      const out = await lab.output(id, { stderr: false });
      assert.equal(out, `${Array.from({ length: 200_000 }, (_unused, index) => index + 1).join('\n')}\nno newline`);
      assert.equal((await read(id, { stdout: false })).length, 1000);
      const [last] = await read(id, { stderr: false, tail: 1 });
      assert.deepEqual([Buffer.from(last?.line ?? []).toString(), last?.partial], ['no newline', true]);
    });

    it('hold bytes that are no text, and lines longer than a record', async () => {
      const id = await ended('printf "a\\000\\377\\r\\n"; head -c 40000 /dev/zero | tr "\\0" x; echo');
      const [binary, ...parts] = await read(id);
      assert.deepEqual([...binary?.line ?? []], [97, 0, 255, 13]);
      assert.deepEqual(parts.map(({ line, partial }) => [line.length, partial]), [[16384, true], [16384, true], [7232, false]]);
    });

    it('show a line that has not ended soon', async () => {
      const id = await lab.create(['sh', '-c', 'printf prompt; sleep 1000']);
      await lab.engine.start(id);
      for await (const { line, partial } of lab.engine.logs(id, { ...everything, follow: true }, inTime())) {
        assert.deepEqual([Buffer.from(line).toString(), partial], ['prompt', true]);
        break;
      }
      await lab.engine.remove(id, { force: true });
    });

    it('can be followed from before the start to the end, by several at once', async () => {
      const id = await lab.create(['sh', '-c', 'for i in 1 2 3 4 5; do echo $i; sleep 0.02; done']);
      const following = [1, 2, 3].map(() => lab.output(id, { follow: true }));
      await lab.engine.start(id);
      assert.deepEqual(await Promise.all(following), Array.from({ length: 3 }, () => '1\n2\n3\n4\n5\n'));
      assert.equal(await lab.output(id, { follow: true, tail: 2 }), '4\n5\n', 'following one that has ended ends');
    });

    it('stop being followed when asked', async () => {
      const id = await lab.create(['sleep', '1000']);
      await lab.engine.start(id);
      const abort = new AbortController();
      const following = Array.fromAsync(lab.engine.logs(id, { ...everything, follow: true }, abort.signal));
      abort.abort(new Error('enough'));
      await assert.rejects(following, /enough/);
      await lab.engine.remove(id, { force: true });
    });

    it('end for followers when the container is removed', async () => {
      const id = await lab.create(['sh', '-c', 'echo a; sleep 1000']);
      await lab.engine.start(id);
      const following = lab.output(id, { follow: true });
      await lab.engine.remove(id, { force: true });
      assert.match(await following, /^(?:a\n)?$/);
    });
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { demultiplex, jsonLines, textLines } from './streams.ts';
import { logFrame } from './testing.ts';

/** The bytes in pieces of the given sizes, in turn. */
async function* cutUp(bytes: Buffer, sizes: readonly number[]): AsyncIterable<Uint8Array> {
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const end = start + (sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}
const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
const read = async (frames: ReturnType<typeof demultiplex>) => (await Array.fromAsync(frames)).map(({ stream, payload }) => [stream, payload.toString('utf8')]);

describe('demultiplex', () => {
  it('finds the same frames however the stream is cut', () => fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(1 as const, 2 as const), fc.string())), sizes, async (frames, cuts) => {
    const bytes = Buffer.concat(frames.map(([stream, text]) => logFrame(stream, text)));
    assert.deepEqual(await read(demultiplex(cutUp(bytes, cuts))), frames.map(([stream, text]) => [stream === 1 ? 'stdout' : 'stderr', text]));
  }), { numRuns: 50 }));

  it("ends with the daemon's own sentence", async () => {
    const bytes = Buffer.concat([logFrame(1, 'a\n'), logFrame(3, 'The node is gone\n')]);
    await assert.rejects(read(demultiplex(cutUp(bytes, [5]))), (error) => isOrchError(error, 'ORCH_INTERNAL') && error.message === 'The node is gone');
  });
});

describe('textLines', () => {
  it('gives each line with its newline, the last as it is', () => fc.assert(fc.asyncProperty(sizes, async (cuts) => {
    assert.deepEqual(await read(textLines(cutUp(Buffer.from('één\n\ntwo\nend'), cuts))), [['stdout', 'één\n'], ['stdout', '\n'], ['stdout', 'two\n'], ['stdout', 'end']]);
  }), { numRuns: 30 }));
});

describe('jsonLines', () => {
  it('reads one value a line, empty lines aside, however the stream is cut', () => fc.assert(fc.asyncProperty(fc.array(fc.jsonValue()), sizes, async (values, cuts) => {
    const text = values.map((value) => JSON.stringify(value)).join('\n\n');
    assert.deepEqual(await Array.fromAsync(jsonLines(cutUp(Buffer.from(text), cuts))), values.map((value): unknown => JSON.parse(JSON.stringify(value))));
  }), { numRuns: 50 }));
});

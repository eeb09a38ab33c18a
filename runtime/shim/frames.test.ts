import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { encodeFrame, fieldTags, FrameReader, frameTypes, type FieldTag, type FrameField } from './frames.ts';

const tags = Object.keys(fieldTags).filter((tag): tag is FieldTag => tag in fieldTags);

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const fields = fc.array(fc.tuple(fc.constantFrom(...tags), fc.uint8Array({ maxLength: 300 })), { maxLength: 10 });
    fc.assert(fc.property(fc.array(fields, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (frames, cuts) => {
      const stream = Buffer.concat(frames.map((list, index) => encodeFrame(frameTypes.run, index, list)));
      const reader = new FrameReader();
      const read = [];
      for (let offset = 0, cut = 0; offset < stream.length; cut += 1) {
        const end = offset + (cuts[cut % cuts.length] ?? 1);
        read.push(...reader.push(stream.subarray(offset, end)));
        offset = end;
      }
      assert.equal(read.length, frames.length);
      for (const [index, list] of frames.entries()) {
        assert.equal(read[index]?.request, index);
        for (const tag of tags) {
          const sent = list.filter(([name]) => name === tag).map(([, bytes]) => Buffer.from(bytes));
          assert.deepEqual(read[index]?.all(tag).map((bytes) => Buffer.from(bytes)), sent);
        }
      }
    }));
  });

  it('carry text and numbers', () => {
    const [frame] = new FrameReader().push(encodeFrame(frameTypes.signal, 7, [['text', 'grüße'], ['signal', 9], ['exitCode', -1]]));
    assert.deepEqual([frame?.type, frame?.text('text'), frame?.number('signal', 0), frame?.number('exitCode', 0), frame?.number('pid', 42)], [20, 'grüße', 9, -1, 42]);
  });

  it('are refused when broken', () => {
    const good = encodeFrame(frameTypes.hello, 1, [['text', 'abc']]);
    const broken = (change: (bytes: Buffer) => void): void => {
      const bytes = Buffer.from(good);
      change(bytes);
      assert.throws(() => new FrameReader().push(bytes), (error) => isOrchError(error, 'ORCH_CORRUPT'));
    };
    broken((bytes) => bytes.writeUInt32LE(3, 0));
    broken((bytes) => bytes.writeUInt32LE(0xffffffff, 0));
    broken((bytes) => bytes.writeUInt8(2, 4));
    broken((bytes) => bytes.writeUInt32LE(1000, 14));
    broken((bytes) => bytes.writeUInt32LE(2, 14));
  });

  it('hold no NUL character in text, which C would cut off there', () => {
    const encode = (field: FrameField) => (): unknown => encodeFrame(frameTypes.run, 1, [field]);
    assert.throws(encode(['arg', 'a\0b']), (error) => isOrchError(error, 'ORCH_INVALID'));
    assert.doesNotThrow(encode(['stdin', 'a\0b']));
  });

  it('mean the same in C', () => {
    const header = readFileSync(join(import.meta.dirname, 'frame.h'), 'utf8');
    const table = (prefix: string): Record<string, number> => Object.fromEntries(
      header.matchAll(new RegExp(`${prefix}_([A-Z_]+) = (\\d+)`, 'g')).map(([, name = '', number]) => [name.toLowerCase().replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase()), Number(number)]),
    );
    assert.deepEqual(table('FRAME'), { ...frameTypes });
    assert.deepEqual(table('FIELD'), { ...fieldTags });
  });
});

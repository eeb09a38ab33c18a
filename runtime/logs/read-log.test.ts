import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import type { LogQuery, LogRecord } from '../engine.ts';
import { logTime, parseLogRecord } from './log-record.ts';
import { readLog } from './read-log.ts';

const all: LogQuery = { stdout: true, stderr: true, follow: false, sinceMs: 0, untilMs: 0, tail: Infinity };
const neverAborted = new AbortController().signal;

let folder = '';
before(() => { folder = mkdtempSync(join(tmpdir(), 'orch-log-')); });
after(() => rmSync(folder, { recursive: true }));

const line = (atMs: number, text: string, { stream = 'stdout', tag = 'F' } = {}): string => `${logTime(atMs)} ${stream} ${tag} ${text}\n`;

async function read(text: string, query: Partial<LogQuery> = {}): Promise<string[]> {
  const path = join(folder, 'log');
  writeFileSync(path, text);
  return texts(await Array.fromAsync(readLog({ path, ended: Promise.resolve() }, { ...all, ...query }, neverAborted)));
}

const texts = (records: readonly LogRecord[]): string[] => records.map(({ line: bytes }) => Buffer.from(bytes).toString('latin1'));

describe('parseLogRecord', () => {
  it('keeps the bytes of a line as they were', () => {
    const bytes = Buffer.from([0, 255, 32, 13, 70]);
    const record = parseLogRecord(Buffer.concat([Buffer.from('2026-11-21T23:07:09.123456789Z stderr P '), bytes]));
    assert.deepEqual(record, { stream: 'stderr', time: '2026-11-21T23:07:09.123456789Z', line: bytes, partial: true });
  });

  it('refuses what is no record', () => {
    for (const text of ['', 'hello', '2026-11-21T23:07:09.123456789Z stdin  F x', '2026-11-21T23:07:09.123456789Z stdout X x', ' '.repeat(50)]) {
      assert.equal(parseLogRecord(Buffer.from(text)), undefined, text);
    }
  });
});

describe('readLog', () => {
  it('gives nothing for a log that does not exist', async () => {
    assert.deepEqual(await Array.fromAsync(readLog({ path: join(folder, 'none'), ended: Promise.resolve() }, all, neverAborted)), []);
  });

  it('chooses by stream and time', async () => {
    const text = line(1000, 'a') + line(2000, 'b', { stream: 'stderr' }) + line(3000, 'c') + line(4000, 'd');
    assert.deepEqual(await read(text), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await read(text, { stderr: false }), ['a', 'c', 'd']);
    assert.deepEqual(await read(text, { stdout: false }), ['b']);
    assert.deepEqual(await read(text, { sinceMs: 2000, untilMs: 4000 }), ['b', 'c']);
  });

  it('passes over a torn last line', async () => {
    assert.deepEqual(await read(`${line(1, 'a')}1970-01-01T00:00:00.0020`), ['a']);
  });

  it('counts lines from the end, one for a line in several parts', async () => {
    const text = line(1, 'a') + line(2, 'b1', { tag: 'P' }) + line(2, 'b2', { tag: 'P' }) + line(2, 'b3') + line(3, 'c');
    assert.deepEqual(await read(text, { tail: 0 }), []);
    assert.deepEqual(await read(text, { tail: 1 }), ['c']);
    assert.deepEqual(await read(text, { tail: 2 }), ['b1', 'b2', 'b3', 'c']);
    assert.deepEqual(await read(text, { tail: 9 }), ['a', 'b1', 'b2', 'b3', 'c']);
    assert.deepEqual(await read(text + line(4, 'd', { tag: 'P' }), { tail: 1 }), ['d']);
    assert.deepEqual(await read(line(1, 'a') + line(2, 'b', { stream: 'stderr' }) + line(3, 'c'), { tail: 1, stdout: false }), ['b']);
  });

  it('gives the last lines of any log', async () => {
    const lines = fc.array(fc.record({ text: fc.stringMatching(/^[ -~]{0,40}$/), repeat: fc.constantFrom(1, 1, 1, 2000), stream: fc.constantFrom('stdout', 'stderr') }), { maxLength: 30 });
    await fc.assert(fc.asyncProperty(lines, fc.nat({ max: 35 }), async (entries, tail) => {
      const written = entries.map(({ text, repeat, stream }) => ({ text: text.repeat(repeat), stream }));
      const file = written.map(({ text, stream }, index) => line(index, text, { stream })).join('');
      const wanted = written.filter(({ stream }) => stream === 'stderr').map(({ text }) => text);
      assert.deepEqual(await read(file, { tail, stdout: false }), tail === 0 ? [] : wanted.slice(-tail));
    }), { numRuns: 50 });
  });
});

describe('readLog with follow', () => {
  it('gives what is appended until the log has ended', async () => {
    const path = join(folder, 'followed');
    writeFileSync(path, line(1, 'a') + line(2, 'b'));
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const seen: string[] = [];
    for await (const record of readLog({ path, ended }, { ...all, follow: true, tail: 1 }, neverAborted)) {
      seen.push(...texts([record]));
      if (seen.length === 1) appendFileSync(path, line(3, 'c'));
      if (seen.length === 2) {
        appendFileSync(path, line(4, 'd') + line(5, 'e'));
        end();
      }
    }
    assert.deepEqual(seen, ['b', 'c', 'd', 'e']);
  });

  it('rejects with the reason when it is aborted', async () => {
    const path = join(folder, 'aborted');
    writeFileSync(path, line(1, 'a'));
    const abort = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const _record of readLog({ path, ended: new Promise(() => { /* runs on */ }) }, { ...all, follow: true }, abort.signal)) setImmediate(() => abort.abort(new Error('enough')));
    };
    await assert.rejects(reading(), /enough/);
  });
});

import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { containerRequest } from '../../test/support/container-request.ts';
import { ContainerJournal } from './container-journal.ts';
import type { ContainerRecord } from './container-record.ts';

let folder = '';
before(() => { folder = mkdtempSync(join(tmpdir(), 'orch-journal-')); });
after(() => rmSync(folder, { recursive: true }));

function record(name: string, changes: Partial<ContainerRecord> = {}): ContainerRecord {
  const create = containerRequest(['sh'], { id: Buffer.from(name).toString('hex').padStart(64, '0'), name });
  return { version: 1, create, imageId: 'sha256:1', stopSignal: 'TERM', state: 'created', createdAtMs: 1, startedAtMs: 0, exitedAtMs: 0, oomKilled: false, runNumber: 0, ...changes };
}

async function reopened(path: string): Promise<ContainerRecord[]> {
  const { journal, records } = await ContainerJournal.open(path);
  await journal[Symbol.asyncDispose]();
  return [...records.values()];
}

describe('ContainerJournal', () => {
  it('keeps the last record of each container', async () => {
    const path = join(folder, 'kept');
    const { journal, records } = await ContainerJournal.open(path);
    assert.equal(records.size, 0);
    const [a, b, c] = [record('a'), record('b', { state: 'running', runNumber: 1 }), record('c')];
    await Promise.all([journal.write(a), journal.write(record('b')), journal.write(c), journal.write(b)]);
    await journal.delete(c.create.id);
    await journal[Symbol.asyncDispose]();
    assert.deepEqual(await reopened(path), [a, b]);
  });

  it('drops a last line that a power cut tore', async () => {
    const path = join(folder, 'torn');
    const { journal } = await ContainerJournal.open(path);
    await journal.write(record('a'));
    await journal[Symbol.asyncDispose]();
    appendFileSync(path, '{"id":"0000","record":{"ver');
    assert.deepEqual(await reopened(path), [record('a')]);
    assert.equal(readFileSync(path, 'utf8').split('\n').length, 2);
  });

  it('names the line that cannot be read', async () => {
    const path = join(folder, 'corrupt');
    appendFileSync(path, '{"id":"1"}\nnonsense\n');
    await assert.rejects(ContainerJournal.open(path), (error) => isOrchError(error, 'ORCH_CORRUPT') && error.message.includes(`${path}:2`));
  });

  it('writes the file anew once most of it is dead', async () => {
    const path = join(folder, 'compacted');
    const { journal } = await ContainerJournal.open(path);
    const big = (round: number): ContainerRecord => record('big', { error: 'ä'.repeat(100_000), runNumber: round });
    for (let round = 0; round < 50; round += 1) await Promise.all([journal.write(big(round)), journal.write(record(`small${round}`))]);
    await journal[Symbol.asyncDispose]();
    assert.ok(statSync(path).size < 5 * 1024 * 1024);
    const records = await reopened(path);
    assert.equal(records.length, 51);
    assert.equal(records[0]?.runNumber, 49);
  });
});

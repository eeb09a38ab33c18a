import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';

const root = join(import.meta.dirname, '..', '..');
const protoFolder = join(root, 'proto');

describe('generated wire code', () => {
  it('is what `npm run generate` makes of the definitions', async () => {
    const fresh = await mkdtemp(join(tmpdir(), 'orch-generated-'));
    try {
      await promisify(execFile)(process.execPath, [join(root, 'tools/generate-proto.ts'), fresh]);
      const names = (await readdir(join(protoFolder, 'gen'))).toSorted();
      assert.deepEqual((await readdir(fresh)).toSorted(), names);
      for (const name of names) {
        const [committed, made] = await Promise.all([readFile(join(protoFolder, 'gen', name), 'utf8'), readFile(join(fresh, name), 'utf8')]);
        assert.ok(committed === made, `proto/gen/${name} is stale: run npm run generate`);
      }
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { before, describe, it } from 'mocha';
import { dockerArchive, inPieces, tar, testStore } from '../../runtime/images/testing.ts';

const schemas = join(import.meta.dirname, '../../../shared/reference/oci-image');
const BASE = 'https://schemas.invalid/';

/** The schemas are draft 4, whose only difference here is that `$id` is called `id`. */
const withoutIds = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([key, item]) => !(['id', '$schema'].includes(key) && typeof item === 'string')).map(([key, item]) => [key, withoutIds(item)]));
};

function validator(name: string): ValidateFunction {
  const ajv = new Ajv({ strict: false, validateFormats: true });
  formats.default(ajv);
  for (const file of readdirSync(schemas).filter((entry) => entry.endsWith('.json'))) {
    const schema = withoutIds(JSON.parse(readFileSync(join(schemas, file), 'utf8')));
    ajv.addSchema({ ...(typeof schema === 'object' && schema), $id: BASE + file });
  }
  const validate = ajv.getSchema(BASE + name);
  assert.ok(validate);
  return validate;
}

describe('image documents that orch writes', () => {
  before(function hasSchemas() {
    if (existsSync(schemas)) return;
    console.log('    skipped: the OCI schemas are not beside the project');
    this.skip();
  });

  it('meet the OCI schemas', async () => {
    await using test = await testStore();
    const root = await tar([{ name: 'etc/name', content: 'x' }]);
    await test.store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [root] }])));
    await test.store.importRoot(inPieces(gzipSync(root)), {
      message: 'from a test', changes: ['CMD ["sh"]', 'ENTRYPOINT /x', 'ENV A=1', 'WORKDIR /', 'USER 1', 'EXPOSE 80', 'LABEL a=b', 'VOLUME /v', 'STOPSIGNAL SIGTERM'],
    });
    const state: { images: Record<string, { manifest: string }> } = JSON.parse(readFileSync(join(test.dataDir, 'state.json'), 'utf8'));
    const document = (digest: string): unknown => JSON.parse(readFileSync(join(test.dataDir, 'blobs/sha256', digest.slice('sha256:'.length)), 'utf8'));
    const manifest = validator('image-manifest-schema.json');
    const config = validator('config-schema.json');
    assert.equal(Object.keys(state.images).length, 2);
    for (const [id, stored] of Object.entries(state.images)) {
      assert.ok(manifest(document(stored.manifest)), JSON.stringify(manifest.errors));
      assert.ok(config(document(id)), JSON.stringify(config.errors));
    }
    assert.ok(!manifest({ schemaVersion: 2 }), 'the schema refuses what it should');
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { renderApiDoc } from '../../tools/generate-api-doc.ts';

describe('docs/api.md', () => {
  it('says what the API has', () => {
    const committed = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');
    assert.ok(committed === renderApiDoc(), 'docs/api.md is stale: run node tools/generate-api-doc.ts');
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Names in one of package.json's tables of packages. */
function packagesOf(...tables: readonly string[]): string[] {
  const parsed: unknown = JSON.parse(read('package.json'));
  const fields = new Map(Object.entries(typeof parsed === 'object' && parsed !== null ? parsed : {}));
  return tables.flatMap((table) => Object.keys(fields.get(table) ?? {})).toSorted();
}

/** Names in the first column of the tables under a heading. */
function documented(heading: string): string[] {
  const section = read('docs/dependencies.md').split(`## ${heading}`)[1]?.split('\n## ')[0] ?? '';
  return section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| package') && !line.startsWith('| ---'))
    .flatMap((line) => line.split('|')[1]?.split(',').map((name) => name.trim()) ?? []).toSorted();
}

describe('docs/dependencies.md', () => {
  it('says why for every package of the program, and for no other', () => assert.deepEqual(documented('In the program'), packagesOf('dependencies')));
  it('says why for every package to develop and test, and for no other', () => assert.deepEqual(documented('To develop and test'), packagesOf('devDependencies', 'optionalDependencies')));
});

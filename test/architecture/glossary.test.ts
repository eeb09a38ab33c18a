import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { parseSync } from 'oxc-parser';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Names of the types and classes that a file exports. */
function exportedTypes(path: string): string[] {
  return parseSync(path, read(path)).program.body.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration' || !statement.declaration) return [];
    const { declaration } = statement;
    return declaration.type === 'TSTypeAliasDeclaration' || declaration.type === 'TSInterfaceDeclaration' || declaration.type === 'ClassDeclaration' ? [declaration.id?.name ?? ''] : [];
  });
}

describe('docs/glossary.md', () => {
  const entries = read('docs/glossary.md').split('\n').filter((line) => line.startsWith('* **'));
  const namesOf = (entry: string): string[] => [...(/^\* \*\*[^*]+\*\* \(([^)]*)\):/.exec(entry)?.[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
  const named = entries.flatMap(namesOf);

  it('explains every type of the model, each once, and none that is gone', () => {
    const types = globSync('model/*.ts', { cwd: root }).filter((path) => !/test(ing)?\.ts$/.test(path)).flatMap(exportedTypes);
    assert.ok(types.length > 50, `only ${types.length} types found`);
    assert.deepEqual(named.toSorted(), types.toSorted());
  });

  it('explains the verbs', () => {
    const terms = new Set(entries.flatMap((entry) => /^\* \*\*([^*]+)\*\*/.exec(entry)?.[1]?.toLowerCase().split(', ') ?? []));
    for (const verb of ['reconcile', 'assign', 'drain', 'prune', 'promote', 'join']) assert.ok(terms.has(verb), verb);
  });

  it('has a text for every entry', () => {
    for (const entry of entries) assert.match(entry, /^\* \*\*[^*]+\*\*(?: \((?:`\w+`(?:, )?)+\))?: \S.{10,}[^ ]$/, entry);
  });
});

describe('the words of the code', () => {
  const banned = /\b(?:pods?|replica[- ]?sets?|daemon[- ]?sets?|kubelets?|minions?|black[- ]?list(?:s|ed)?|white[- ]?list(?:s|ed)?)\b/i;

  it('are those of the glossary', () => {
    // Tests may quote what others call things.
    const files = globSync('{base,model,proto,store,scheduler,manager,network,runtime,agent,api,cli,deploy,bin,tools}/**/*.{ts,c,h,proto}', { cwd: root, exclude: ['proto/gen/**', '**/*.test.ts'] });
    assert.ok(files.length > 250, `only ${files.length} files found`);
    const found = files.flatMap((path) => read(path).split('\n').flatMap((line, index) => banned.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
    assert.deepEqual(found, []);
  });
});

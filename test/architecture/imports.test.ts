import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'mocha';
import { parseSync } from 'oxc-parser';
import type { Layer } from './layers.ts';
import { layers } from './layers.ts';

type Edge = { file: string; to: string };

/** Test doubles and tests may also use test libraries. */
const testOnly = new Set(['mocha', 'fast-check', 'ajv', 'ajv-formats', '@peculiar/x509', 'reflect-metadata']);
const isTestFile = (file: string): boolean => file.endsWith('.test.ts') || file.endsWith('/testing.ts');

function importsOf(file: string): Edge[] {
  const text = readFileSync(file, 'utf8');
  const { module, errors } = parseSync(file, text);
  assert.equal(errors.length, 0, `${file} does not parse`);
  const dynamic = module.dynamicImports.map((found) => text.slice(found.moduleRequest.start + 1, found.moduleRequest.end - 1));
  const exported = module.staticExports.flatMap((found) => found.entries.flatMap((entry) => entry.moduleRequest ? [entry.moduleRequest.value] : []));
  return [...module.staticImports.map((found) => found.moduleRequest.value), ...exported, ...dynamic].map((to) => ({ file, to }));
}

const packageName = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');

/** What a specifier leads to: a layer's name, `node`, or an npm package. */
function targetOf({ file, to }: Edge): { kind: 'node' | 'npm' | 'layer'; name: string } {
  if (to.startsWith('node:')) return { kind: 'node', name: 'Node modules' };
  if (!to.startsWith('.')) return { kind: 'npm', name: packageName(to) };
  return { kind: 'layer', name: normalize(join(dirname(file), to)).split('/')[0] ?? '' };
}

function isAllowed(from: string, rule: Layer, target: ReturnType<typeof targetOf>): boolean {
  switch (target.kind) {
    case 'node': return rule.node;
    case 'npm': return rule.npm.includes(target.name);
    case 'layer': return target.name === from || rule.may.includes(target.name);
  }
}

/** Tests may reach for test libraries, the test folder, and the real store and base. */
const isAllowedInTests = ({ kind, name }: ReturnType<typeof targetOf>): boolean => kind === 'node' || (kind === 'npm' ? testOnly.has(name) : ['test', 'base', 'store'].includes(name));

/** The sentence that refuses this import, or undefined when it is allowed. */
export function refuseImport(edge: Edge): string | undefined {
  const from = edge.file.split('/')[0] ?? '';
  const rule = layers[from];
  if (!rule) return `${edge.file}: unknown layer ${from}`;
  const target = targetOf(edge);
  if (isAllowed(from, rule, target) || (isTestFile(edge.file) && isAllowedInTests(target))) return undefined;
  return `${edge.file} -> ${edge.to}: ${from} may not import ${target.name}, because ${rule.why}`;
}

describe('import rules', () => {
  const files = globSync(`{${Object.keys(layers).join(',')}}/**/*.ts`);
  const edges = files.flatMap(importsOf);

  it('are not vacuous', () => {
    assert.ok(edges.length > 100, `only ${edges.length} imports found`);
    for (const layer of Object.keys(layers)) assert.ok(files.some((file) => file.startsWith(`${layer}/`)), `no file in ${layer}/`);
  });

  it('hold', () => assert.deepEqual(edges.flatMap((edge) => refuseImport(edge) ?? []), []));

  it('refuse what they should', () => {
    assert.match(refuseImport({ file: 'scheduler/place.ts', to: 'node:fs' }) ?? '', /pure function of a snapshot/);
    assert.match(refuseImport({ file: 'cli/ps.ts', to: '../manager/control.ts' }) ?? '', /must not load the manager/);
    assert.match(refuseImport({ file: 'api/routes.ts', to: 'yaml' }) ?? '', /may not import yaml/);
    assert.match(refuseImport({ file: 'toys/a.ts', to: './b.ts' }) ?? '', /unknown layer/);
  });
});

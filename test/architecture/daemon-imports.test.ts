import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'mocha';
import { parseSync } from 'oxc-parser';

const root = join(import.meta.dirname, '../..');

/** What a module loads with itself; imports of types are gone by then. */
function loadedWith(file: string): string[] {
  const { module } = parseSync(file, readFileSync(join(root, file), 'utf8'));
  const imported = module.staticImports.filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType)).map(({ moduleRequest }) => moduleRequest.value);
  const exported = module.staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest, isType }) => moduleRequest && !isType ? [moduleRequest.value] : []));
  return [...imported, ...exported];
}

/** Every module of ours that `file` loads with itself. */
function closureOf(file: string): Set<string> {
  const found = new Set([file]);
  for (const from of found) { // a Set also visits what is added meanwhile
    for (const to of loadedWith(from).filter((specifier) => specifier.startsWith('.') && specifier.endsWith('.ts'))) found.add(normalize(join(dirname(from), to)));
  }
  return found;
}

const foldersOf = (files: Iterable<string>): Set<string> => new Set([...files].map((file) => file.split('/')[0] ?? ''));

describe('the memory of a daemon', () => {
  it('has no manager, scheduler or store in it before the node is a manager', () => {
    const folders = foldersOf(closureOf('bin/daemon.ts'));
    for (const needed of ['agent', 'api', 'runtime', 'network', 'proto']) assert.ok(folders.has(needed), `the daemon does not load ${needed}, or the check finds nothing`);
    for (const spared of ['manager', 'scheduler', 'store', 'deploy']) assert.ok(!folders.has(spared), `the daemon loads ${spared} at start`);
    assert.ok(foldersOf(closureOf('bin/manager-part.ts')).has('scheduler'));
  });

  it('is spared the 15 MB that an import of node:http makes', () => {
    const files = globSync('{base,model,proto,store,scheduler,manager,network,runtime,agent,api,cli,deploy,bin}/**/*.ts', { cwd: root }).filter((file) => !/\.test\.ts$|(^|\/)(testing|fake)[^/]*$/.test(file));
    const importing = files.filter((file) => loadedWith(file).includes('node:http'));
    assert.deepEqual(importing, [], 'take what you need from process.getBuiltinModule(\'node:http\')');
  });
});

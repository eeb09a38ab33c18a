import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { parseSync } from 'oxc-parser';

const root = join(import.meta.dirname, '../..');

/** Who may fork this process. All else asks the fork server, because a fork of the daemon blocks its event loop longer the bigger its heap is. */
const mayFork = [
  'runtime/shim-client.ts', // starts the fork server
  'runtime/shim-binary.ts', // compiles it, before there is one
  'deploy/lab/node-process.ts', 'deploy/lab/run-program.ts', 'bin/lab-commands.ts', // a command line of its own, no daemon
];
const isTool = (file: string): boolean => /^(?:test|bench|tools)\//.test(file) || file.endsWith('.test.ts');

/** Whether a file names a module that forks, in an import of any form or in a text that could be given to a loader. */
const forks = (file: string): boolean => /['"`](?:(?:node:)?child_process|node:cluster)['"`]/.test(readFileSync(join(root, file), 'utf8'));

describe('the daemon', () => {
  const files = globSync('{base,model,proto,store,scheduler,manager,network,runtime,agent,api,cli,deploy,bin,bench,tools,test}/**/*.ts', { cwd: root });

  it('spawns nothing itself but its fork server', () => {
    const forking = files.filter((file) => !isTool(file) && forks(file));
    assert.deepEqual(forking.toSorted(), mayFork.toSorted());
  });

  it('is looked at with eyes that see', () => {
    assert.ok(files.length > 300, `only ${files.length} files found`);
    assert.ok(files.filter(isTool).some(forks), 'no test forks, or the check finds nothing');
  });

  it('does not load the lab, which does spawn, before a lab command runs', () => {
    for (const file of files.filter((path) => path.startsWith('bin/') || path.startsWith('cli/'))) {
      const { module } = parseSync(file, readFileSync(join(root, file), 'utf8'));
      const loaded = module.staticImports.filter(({ moduleRequest, entries }) => moduleRequest.value.includes('/deploy/') && entries.some(({ isType }) => !isType)).map(({ moduleRequest }) => moduleRequest.value);
      assert.deepEqual(loaded, [], file);
    }
  });
});

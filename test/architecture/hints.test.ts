import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { commandTable } from '../../bin/cli.ts';
import { findCommand } from '../../cli/find-command.ts';

const root = join(import.meta.dirname, '../..');

/** True for the words of a command, with or without arguments, and of a group. */
function isCommand(words: readonly string[]): boolean {
  return words.length === 0 || words[0]?.startsWith('-') === true || findCommand(commandTable, words) !== undefined
    || commandTable.some(({ path }) => path.length > words.length && words.every((word, index) => path[index] === word));
}

describe('sentences that name a command', () => {
  it('name one that exists', () => {
    const files = globSync('{agent,api,base,bin,cli,deploy,manager,model,network,proto,runtime,scheduler,store}/**/*.ts', { cwd: root, exclude: ['**/*.test.ts', 'proto/gen/**'] });
    const named = files.flatMap((path) => [...readFileSync(join(root, path), 'utf8').matchAll(/\\?`orch ([a-z][a-z -]*[a-z])\\?`/g)].map(([, words = '']) => ({ path, words })));
    assert.ok(named.length > 15, `only ${named.length} found`);
    assert.deepEqual(named.filter(({ words }) => !isCommand(words.split(' '))), []);
  });
});

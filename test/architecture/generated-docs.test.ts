import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { parseSync } from 'oxc-parser';
import { ORCH_VERSION } from '../../base/version.ts';
import { statusAfterError } from '../../agent/plan-task-step.ts';
import { nextTaskStatus, taskStates } from '../../model/task.ts';
import { endSources } from '../../tools/docs/architecture-sections.ts';
import { generatedFiles, repositoryRoot } from '../../tools/docs/generated-files.ts';
import { replaceSections } from '../../tools/docs/markdown.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');

describe('generated documents', () => {
  it('are what would be generated now', () => {
    for (const [path, text] of generatedFiles()) assert.ok(read(path) === text, `${path} is stale: run npm run generate`);
  });

  it('have a place for every section, and a section for every place', () => {
    assert.throws(() => replaceSections('', new Map([['a', '']])), /no place for the generated sections a/);
    assert.throws(() => replaceSections('<!-- generated: b -->\n<!-- end -->', new Map()), /nothing generates the section "b"/);
    assert.equal(replaceSections('x\n<!-- generated: a -->\nold\n<!-- end -->\ny', new Map([['a', 'new\n']])), 'x\n<!-- generated: a -->\nnew\n<!-- end -->\ny');
  });
});

/** Names that a module exports. */
function exportsOf(path: string): Set<string> {
  const { module } = parseSync(path, read(path));
  return new Set(module.staticExports.flatMap(({ entries }) => entries.flatMap(({ exportName }) => exportName.name ?? [])));
}

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md');

  it('is short enough to be read', () => assert.ok(text.split('\n').length <= 251, `${text.split('\n').length} lines`));

  it('names only files that exist, and only what they export', () => {
    const references = [...text.matchAll(/`((?:[a-z0-9-]+\/)+[a-z0-9.-]+\.ts)(?:#(\w+))?`/g)];
    assert.ok(references.length > 30, `only ${references.length} references found`);
    for (const [, path = '', symbol] of references) {
      assert.ok(existsSync(join(repositoryRoot, path)), `${path} does not exist`);
      if (symbol !== undefined) assert.ok(exportsOf(path).has(symbol), `${path} does not export ${symbol}`);
    }
  });

  it('follows one request through eleven steps, each with its place in the code', () => {
    const steps = text.split('\n').filter((line) => /^\| \d+ \|/.test(line));
    assert.equal(steps.length, 11);
    for (const step of steps) assert.match(step, /`[\w/.-]+\.ts#\w+`/);
  });

  it('links only to files that exist', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)\)/g)) assert.ok(existsSync(join(repositoryRoot, target)), target);
  });

  it('shows only ways of a task that the code allows', () => {
    const status = (state: (typeof taskStates)[number]) => ({ state, atMs: 0, message: '' });
    for (const state of taskStates) {
      for (const [end, isSource] of Object.entries(endSources)) {
        const target = taskStates.find((candidate) => candidate === end);
        if (target && isSource(state)) assert.ok(nextTaskStatus(status(state), status(target)), `${state} to ${end}`);
      }
      if (endSources['failed']?.(state) || endSources['rejected']?.(state)) assert.ok(endSources[statusAfterError(status(state), 'x').state]?.(state), state);
    }
  });
});

describe('package.json', () => {
  it('has the version that the program says it is', () => {
    const parsed: unknown = JSON.parse(read('package.json'));
    assert.ok(typeof parsed === 'object' && parsed !== null && 'version' in parsed);
    assert.equal(parsed.version, ORCH_VERSION);
  });
});

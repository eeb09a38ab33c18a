import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { skipTest } from '../support/skip.ts';

const root = join(import.meta.dirname, '../..');

describe('shell scripts', () => {
  const scripts = ['bin/orch', '.ci/run', ...globSync('{bench,deploy,runtime,test,tools}/**/*.sh', { cwd: root })];

  it('are found, can be executed and say what reads them', () => {
    for (const known of ['deploy/setup.sh', 'deploy/try.sh', 'deploy/test.sh', 'deploy/lab/init.sh', 'runtime/shim/build.sh']) assert.ok(scripts.includes(known), known);
    for (const script of scripts) {
      assert.match(readFileSync(join(root, script), 'utf8'), /^#!\/(?:usr\/bin\/env bash|bin\/(?:ba)?sh)\n/, script);
      assert.ok((statSync(join(root, script)).mode & 0o111) !== 0, `${script} is not executable`);
    }
  });

  it('have nothing that shellcheck warns of', function () {
    if (spawnSync('shellcheck', ['--version']).error) skipTest(this, 'there is no shellcheck');
    const { stdout, status } = spawnSync('shellcheck', ['--format=gcc', ...scripts], { cwd: root, encoding: 'utf8' });
    assert.deepEqual([stdout, status], ['', 0]);
  });
});

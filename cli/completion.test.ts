import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { before, describe, it } from 'mocha';
import { completionScript } from './completion.ts';
import { commands } from './commands.ts';
import { withTableCommands } from './table-commands.ts';

const BASH = '/bin/bash';
const table = withTableCommands(commands);

/** What bash offers for the last word. */
function complete(...words: readonly string[]): string[] {
  const script = `${completionScript('bash', table)}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _orch; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync(BASH, ['--norc', '-c', script, 'bash', 'orch', ...words], { encoding: 'utf8' }).split('\n').filter((word) => word !== '');
}

describe('completion in bash', () => {
  before(function needsBash() { if (!existsSync(BASH)) this.skip(); });

  it('offers commands and groups', () => {
    assert.deepEqual(complete('service', 'cr'), ['create']);
    assert.deepEqual(complete('serv'), ['service']);
    assert.deepEqual(complete('service', 'r'), ['rollback', 'rm']);
    assert.ok(['service', 'ps', 'help', 'completion'].every((word) => complete('').includes(word)));
  });

  it('offers the flags of the command, also after its arguments, and none that are refused', () => {
    assert.deepEqual(complete('service', 'create', '--limit-'), ['--limit-cpu', '--limit-memory', '--limit-pids']);
    assert.deepEqual(complete('service', 'scale', 'web=3', '--de'), ['--detach']);
    assert.deepEqual(complete('service', 'create', '--init'), []);
    assert.deepEqual(complete('service', 'ps', '--he'), ['--help']);
    assert.deepEqual(complete('--ver'), ['--version']);
  });

  it('offers the words that a flag or an argument may be', () => {
    assert.deepEqual(complete('service', 'create', '--update-order', ''), ['stop-first', 'start-first']);
    assert.deepEqual(complete('node', 'update', '--availability', 'd'), ['drain']);
    assert.deepEqual(complete('token', 'w'), ['worker']);
    assert.deepEqual(complete('completion', 'b'), ['bash']);
  });

  it('looks past global options', () => assert.deepEqual(complete('-H', 'tcp://a:1', 'service', 'cr'), ['create']));
});

describe('completion in other shells', () => {
  it("loads bash's script into zsh", () => assert.match(completionScript('zsh', table), /^#compdef orch\n.*bashcompinit\n_orch\(\) \{/));

  it('tells commands of one name apart in fish, quotes texts, and says nothing twice', () => {
    const lines = completionScript('fish', table).trimEnd().split('\n');
    assert.deepEqual(lines, [...new Set(lines)]);
    assert.ok(lines.some((line) => line.startsWith("complete -c orch -n '__fish_seen_subcommand_from ps; and not __fish_seen_subcommand_from ")), 'ps');
    assert.ok(lines.some((line) => line.startsWith("complete -c orch -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from ps' -l quiet -s q")), 'service ps');
    assert.ok(lines.includes("complete -c orch -n '__fish_seen_subcommand_from node' -a update -d 'Change a node\\'s labels, availability or role'"), 'quoted');
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ORCH_VERSION } from '../base/version.ts';
import { isOrchError } from '../model/errors.ts';
import { commands } from './commands.ts';
import { defineCommand } from './command.ts';
import { runCommandLine, splitGlobalOptions } from './main.ts';
import { withTableCommands } from './table-commands.ts';
import { FakeApiClient, testContext } from './testing.ts';

const all = withTableCommands(commands);
const run = async (text: string) => {
  const result = await runCommandLine(all, text === '' ? [] : text.split(' '), () => testContext(new FakeApiClient({})));
  assert.ok(typeof result === 'string', text);
  return result;
};
const refuses = (text: string, sentence: RegExp, hint: RegExp) =>
  assert.rejects(run(text), (error) => isOrchError(error, 'ORCH_USAGE') && sentence.test(error.message) && hint.test(error.hint ?? ''), text);

describe('splitGlobalOptions', () => {
  it('takes the daemon from the command line, else from the environment, else the default', () => {
    assert.deepEqual(splitGlobalOptions(['-H', 'tcp://a:1', 'ps', '-H'], 'unix:///b'), { host: 'tcp://a:1', words: ['ps', '-H'] });
    assert.deepEqual(splitGlobalOptions(['--host=tcp://a:1', 'ps'], undefined), { host: 'tcp://a:1', words: ['ps'] });
    assert.deepEqual(splitGlobalOptions(['ps'], 'unix:///b'), { host: 'unix:///b', words: ['ps'] });
    assert.equal(splitGlobalOptions([], undefined).host, 'unix:///run/orch/orch.sock');
  });

  it('refuses --host without a value', () => assert.throws(() => splitGlobalOptions(['--host'], undefined), (error) => isOrchError(error, 'ORCH_USAGE')));
});

describe('runCommandLine', () => {
  it('shows the same help for nothing, --help, -h and help', async () => {
    const text = await run('');
    for (const words of ['--help', '-h', 'help']) assert.equal(await run(words), text);
    for (const word of ['service', 'completion', 'help', 'version', '--host']) assert.ok(text.includes(word), word);
  });

  it('shows a group by its name, with and without --help', async () => {
    const text = await run('service');
    assert.match(text, /^Usage: {2}orch service COMMAND/);
    assert.equal(await run('service --help'), text);
    assert.equal(await run('help service'), text);
  });

  it("shows a command's help by --help, help, and by an alias", async () => {
    const text = await run('service create --help');
    assert.match(text, /^Usage: {2}orch service create \[OPTIONS\] IMAGE \[COMMAND\] \[ARG\.\.\.\]/);
    assert.equal(await run('help service create'), text);
    assert.match(await run('service list --help'), /Aliases:\n {2}orch service list/);
  });

  it('shows the version', async () => {
    assert.equal(await run('--version'), `orch version ${ORCH_VERSION}`);
    assert.equal(await run('-v'), `orch version ${ORCH_VERSION}`);
  });

  it('suggests a command that is spelled nearly so', async () => {
    await refuses('service crate', /"orch service crate" is not a command/, /Did you mean `orch service create`\?/);
    await refuses('srvice ls', /"orch srvice" is not a command/, /Did you mean `orch service`\?/);
    await refuses('help node promot', /"orch node promot"/, /`orch node promote`/);
    await refuses('frobnicate', /"orch frobnicate" is not a command/, /See `orch --help`/);
  });

  it('tells an unknown option from an unknown command', async () => {
    await refuses('--debug ps', /orch has no global option --debug/, /See `orch --help`/);
    await refuses('service -x', /`orch service` has no flag -x/, /See `orch service --help`/);
  });

  it('makes no connection for help', async () => {
    assert.ok(await runCommandLine(all, ['ps', '--help'], () => { throw new Error('a context was made'); }));
  });

  it('prefers the longer path, and passes what follows it on', async () => {
    const seen: unknown[] = [];
    const make = (path: readonly string[]) => defineCommand({ path, summary: '', args: { usage: ['[X...]'] }, flags: {}, run: (_context, args) => { seen.push([path.join(' '), ...args]); return Promise.resolve(undefined); } });
    const table = [make(['a']), make(['a', 'b'])];
    for (const words of [['a', 'b', 'c'], ['a', 'c']]) await runCommandLine(table, words, () => testContext(new FakeApiClient({})));
    assert.deepEqual(seen, [['a b', 'c'], ['a', 'c']]);
  });
});

describe('the command table', () => {
  it('has no two commands of one name, and no two flags of one letter', () => {
    const names = all.flatMap(({ path, aliases = [] }) => [path, ...aliases.map((alias) => [...path.slice(0, -1), alias])].map((words) => words.join(' ')));
    assert.deepEqual(names, [...new Set(names)]);
    for (const { path, flags } of all) {
      const letters = Object.values(flags).flatMap((flag) => flag.short ?? []);
      assert.deepEqual(letters, [...new Set(letters)], path.join(' '));
    }
  });

  it('has help for every flag and no period at the end of a summary', () => {
    for (const { path, summary, flags } of all) {
      assert.match(summary, /^[A-Z].*[^.]$/, path.join(' '));
      for (const [name, flag] of Object.entries(flags)) assert.notEqual(flag.help, '', `${path.join(' ')} --${name}`);
    }
  });

  it('shows an example of every command that takes arguments', () => {
    for (const { path, args, examples = [] } of all) if (args.usage.length > 0) assert.ok(examples.length > 0, path.join(' '));
  });

  it('has only examples that its own parser takes', async () => {
    const { parseCommandLine } = await import('./parse.ts');
    const { findCommand } = await import('./find-command.ts');
    const { splitShellWords } = await import('./service/parse-values.ts');
    for (const example of all.flatMap(({ examples = [] }) => examples)) {
      const words = splitShellWords(/orch [^>)|#]*/.exec(example)?.[0] ?? '').slice(1);
      const command = findCommand(all, words);
      assert.ok(command, example);
      assert.doesNotThrow(() => parseCommandLine(command, words.slice(command.path.length)), example);
    }
  });
});

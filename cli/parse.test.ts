import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import type { AnyCommand } from './command.ts';
import { defineCommand } from './command.ts';
import { parseCommandLine } from './parse.ts';

const command = defineCommand({
  path: ['toy', 'make'], summary: 'Make a toy', args: { usage: ['IMAGE', '[COMMAND]', '[ARG...]'], passThroughFrom: 1 },
  flags: {
    name: { type: 'string', short: 'n', help: '' }, size: { type: 'bytes', help: '' }, wait: { type: 'duration', help: '' }, cpu: { type: 'cpus', help: '' },
    count: { type: 'integer', min: 1, max: 9, default: 2, help: '' }, ratio: { type: 'number', min: 0, max: 1, help: '' }, color: { type: 'choice', choices: ['red', 'blue'], default: 'red', help: '' },
    env: { type: 'list', short: 'e', help: '' }, quiet: { type: 'boolean', short: 'q', help: '' }, force: { type: 'boolean', short: 'f', help: '' }, shiny: { type: 'toggle', help: '' },
    glow: { type: 'refused', short: 'g', help: '', why: 'toys do not glow' },
  },
  run: () => Promise.resolve(undefined),
});
const plain = defineCommand({ path: ['toy', 'rm'], summary: '', args: { usage: ['TOY'] }, flags: { token: { type: 'string', required: true, help: '' } }, run: () => Promise.resolve(undefined) });
const list = defineCommand({ path: ['toy', 'ls'], summary: '', args: { usage: [] }, flags: {}, run: () => Promise.resolve(undefined) });

const parse = (text: string) => parseCommandLine(command, text === '' ? [] : text.split(' '));
const flagsOf = (text: string) => parse(`${text} demo`).flags;
const refuses = (words: readonly string[], sentence: RegExp, { code = 'ORCH_USAGE', by = command }: { code?: 'ORCH_USAGE' | 'ORCH_UNSUPPORTED'; by?: AnyCommand } = {}) =>
  assert.throws(() => parseCommandLine(by, words), (error) => isOrchError(error, code) && sentence.test(error.message), words.join(' '));

describe('parseCommandLine', () => {
  it('fills in defaults, and leaves what was not given undefined', () => {
    assert.deepEqual(parse('demo'), {
      args: ['demo'], help: false,
      flags: { name: undefined, size: undefined, wait: undefined, cpu: undefined, count: 2, ratio: undefined, color: 'red', env: [], quiet: false, force: false, shiny: undefined, glow: undefined },
    });
  });

  it('reads long flags with = and with a space, and the last of a repeated one', () => {
    assert.equal(flagsOf('--name=a')['name'], 'a');
    assert.equal(flagsOf('--name a --name b')['name'], 'b');
    assert.equal(flagsOf('--name=a=b')['name'], 'a=b');
    assert.equal(flagsOf('--name=')['name'], '');
  });

  it('reads short flags, alone, in clusters, and with a value attached or after', () => {
    assert.deepEqual([flagsOf('-qf')['quiet'], flagsOf('-qf')['force']], [true, true]);
    for (const text of ['-n a', '-na', '-n=a', '-qna', '-qn a']) assert.equal(flagsOf(text)['name'], 'a', text);
    assert.deepEqual(flagsOf('-e A=1 -eB=2')['env'], ['A=1', 'B=2']);
  });

  it('reads every form of a boolean, and tells an unset toggle from a false one', () => {
    for (const [text, value] of [['--quiet', true], ['--quiet=true', true], ['--quiet=1', true], ['--quiet=false', false], ['--quiet=0', false]] as const) assert.equal(flagsOf(text)['quiet'], value, text);
    assert.equal(flagsOf('--shiny')['shiny'], true);
    assert.equal(flagsOf('--shiny=false')['shiny'], false);
    refuses(['--quiet=maybe', 'demo'], /--quiet is true or false, not "maybe"/);
  });

  it('reads units: bytes, ms and billionths of a CPU', () => {
    const flags = flagsOf('--size 1.5g --wait 1m30s --cpu 0.5');
    assert.deepEqual([flags['size'], flags['wait'], flags['cpu']], [1_610_612_736, 90_000, 500_000_000]);
    refuses(['--size', 'big', 'demo'], /^--size: "big" is not a valid size$/);
    refuses(['--wait', '5', 'demo'], /^--wait: "5" is not a valid duration$/);
    refuses(['--cpu', 'all', 'demo'], /^--cpu: /);
  });

  it('holds numbers to their range', () => {
    assert.equal(flagsOf('--count 9')['count'], 9);
    assert.equal(flagsOf('--ratio .5')['ratio'], 0.5);
    for (const text of ['0', '10', '1.5', 'x', '', ' ']) refuses([`--count=${text}`, 'demo'], /^--count must be a whole number of at least 1 and at most 9, not "/);
    refuses(['--ratio', '1.1', 'demo'], /^--ratio must be a number of at least 0 and at most 1, not "1.1"$/);
    refuses(['--color', 'green', 'demo'], /^--color must be one of red, blue, not "green"$/);
  });
});

describe('parseCommandLine, of arguments', () => {
  it('takes no flag after --', () => assert.deepEqual(parseCommandLine(plain, ['--token', 'x', '--', '--help']).args, ['--help']));

  it('passes the own command line of a container through, flags and -- too', () => {
    assert.deepEqual(parse('-q demo sh -c ls --name x').args, ['demo', 'sh', '-c', 'ls', '--name', 'x']);
    assert.deepEqual(parse('demo tool -- -x').args, ['demo', 'tool', '--', '-x']);
    assert.deepEqual(parse('demo --help').args, ['demo', '--help']);
  });

  it('takes a single dash as an argument', () => assert.deepEqual(parseCommandLine(plain, ['--token', 'x', '-']).args, ['-']));

  it('says what is missing or too much', () => {
    refuses([], /`orch toy make` needs IMAGE/);
    refuses(['--name'], /--name needs a value/);
    refuses(['-n'], /-n needs a value/);
    refuses(['a', 'b', '--token', 'x'], /`orch toy rm` takes only TOY, but "b" was given too/, { by: plain });
    refuses(['a'], /`orch toy ls` takes no arguments, but "a" was given/, { by: list });
    refuses(['a'], /--token is required/, { by: plain });
  });

  it('names a flag that does not exist, also one that every object has', () => {
    refuses(['--colour', 'red'], /`orch toy make` has no flag --colour/);
    refuses(['--constructor=1'], /has no flag --constructor/);
    refuses(['-qx'], /has no flag -x/);
  });

  it('refuses what Docker has and orch has not, with or without a value, and says why', () => {
    for (const words of [['--glow', 'demo'], ['--glow=yes', 'demo'], ['-g', 'demo'], ['--glow']]) refuses(words, /^--glow is not supported: toys do not glow$/, { code: 'ORCH_UNSUPPORTED' });
  });

  it('asks for help by --help and -h, whatever else is wrong', () => {
    for (const text of ['--help', '-h', '-qh', '--count 99 --help', '--glow --help']) assert.equal(parse(text).help, true, text);
  });
});

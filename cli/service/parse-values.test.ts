import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { parseFields, parseHost, parseMount, parsePairs, parsePlacementPreference, parsePublish, parseUlimit, splitShellWords } from './parse-values.ts';

const refuses = (parse: () => unknown, sentence: RegExp) =>
  assert.throws(parse, (error) => (isOrchError(error, 'ORCH_USAGE') || isOrchError(error, 'ORCH_UNSUPPORTED')) && sentence.test(error.message) && error.hint !== undefined);

describe('parseMount', () => {
  it('reads every key that it knows, by each of its names', () => {
    assert.deepEqual(parseMount('type=bind,source=/srv,target=/data,readonly,bind-propagation=rshared'), { Type: 'bind', Source: '/srv', Target: '/data', ReadOnly: true, BindOptions: { Propagation: 'rshared' } });
    assert.deepEqual(parseMount('type=tmpfs,dst=/tmp,tmpfs-size=64m,tmpfs-mode=1770'), { Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: 67_108_864, Mode: 0o1770 } });
    assert.deepEqual(parseMount('src=data,destination=/d,ro=false'), { Type: 'volume', Source: 'data', Target: '/d' });
    assert.deepEqual(parseMount('type=bind,"source=/a,b",target=/c'), { Type: 'bind', Source: '/a,b', Target: '/c' });
  });

  it('refuses what it would not honour', () => {
    refuses(() => parseMount('type=volume,target=/d,volume-nocopy'), /the key "volume-nocopy" is not supported/);
    refuses(() => parseMount('type=bind,source=/a'), /has no target/);
    refuses(() => parseMount('target=/a,readonly=maybe'), /readonly is true or false, not "maybe"/);
    refuses(() => parseMount('type=tmpfs,target=/a,tmpfs-mode=99'), /"99" is not an octal mode/);
  });
});

describe('parsePublish', () => {
  it('reads the long form', () => {
    assert.deepEqual(parsePublish('mode=host,target=53,published=5353,protocol=udp'), [{ Protocol: 'udp', TargetPort: 53, PublishedPort: 5353, PublishMode: 'host' }]);
    assert.deepEqual(parsePublish('target=80'), [{ Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress' }]);
  });

  it('reads the short form, ranges too', () => {
    assert.deepEqual(parsePublish('8080:80/udp'), [{ Protocol: 'udp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' }]);
    assert.deepEqual(parsePublish('80'), [{ Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress' }]);
    assert.deepEqual(parsePublish('8000-8002:80-82').map((port) => [port.PublishedPort, port.TargetPort]), [[8000, 80], [8001, 81], [8002, 82]]);
  });

  it('publishes each port of a range once, in order', () => fc.assert(fc.property(fc.integer({ min: 1, max: 65_000 }), fc.integer({ min: 1, max: 65_000 }), fc.integer({ min: 0, max: 500 }), (published, target, more) => {
    const ports = parsePublish(`${published}-${published + more}:${target}-${target + more}`);
    assert.deepEqual(ports.map((port) => [port.PublishedPort, port.TargetPort]), Array.from({ length: more + 1 }, (_, offset) => [published + offset, target + offset]));
  }), { numRuns: 20 }));

  it('refuses what is no port, protocol, mode, range or key', () => {
    for (const text of ['', 'http', '0', '65536', '80/icmp', '1:2:3', '82-80', '8000-8001:80', '8000:80-81', 'target=x', 'published=80', 'target=80,mode=mesh', 'target=80,name=web']) refuses(() => parsePublish(text), /^--publish: /);
  });
});

describe('values of other flags', () => {
  it('reads limits, preferences, hosts and pairs', () => {
    assert.deepEqual(parseUlimit('nofile=1024:2048'), { Name: 'nofile', Soft: 1024, Hard: 2048 });
    assert.deepEqual(parseUlimit('core=-1'), { Name: 'core', Soft: -1, Hard: -1 });
    assert.deepEqual(parsePlacementPreference('spread=node.labels.zone'), { Spread: { SpreadDescriptor: 'node.labels.zone' } });
    assert.equal(parseHost('db:10.0.0.5'), '10.0.0.5 db');
    assert.equal(parseHost('db:fd00::5'), 'fd00::5 db');
    assert.deepEqual(parsePairs('label', ['a=1', 'b', 'c=', 'd=e=f']), { a: '1', b: '', c: '', d: 'e=f' });
    assert.deepEqual([...parseFields('x', 'A=1,"b=2,""3""",c')], [['a', '1'], ['b', '2,"3"'], ['c', '']]);
  });

  it('refuses what is none, and says how it is written', () => {
    for (const text of ['nofile', 'nofile=x', '=1']) refuses(() => parseUlimit(text), /^--ulimit: /);
    for (const text of ['binpack=x', 'spread', 'spread=']) refuses(() => parsePlacementPreference(text), /^--placement-pref: /);
    for (const text of ['db', 'db:', ':10.0.0.5']) refuses(() => parseHost(text), /^--host: /);
    refuses(() => parsePairs('label', ['=1']), /^--label: "=1" has no name before the =/);
  });
});

describe('splitShellWords', () => {
  it('splits as a shell does', () => {
    assert.deepEqual(splitShellWords(`sh -c "echo \\"hi\\" \\$HOME" 'it''s' a\\ b x"y"'z' ""`), ['sh', '-c', 'echo "hi" $HOME', 'its', 'a b', 'xyz', '']);
    assert.deepEqual(splitShellWords('  '), []);
  });

  it('reads back every list of words that is quoted', () => fc.assert(fc.property(fc.array(fc.string()), (words) => {
    assert.deepEqual(splitShellWords(words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')), words);
    assert.deepEqual(splitShellWords(words.map((word) => `"${word.replaceAll(/["\\]/g, '\\$&')}"`).join('\t')), words);
  })));

  it('refuses a quote that is not closed', () => {
    for (const text of ['sh -c "x', "a 'b", 'a \\']) refuses(() => splitShellWords(text), /ends inside of a quote/);
  });
});

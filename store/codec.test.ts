import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { revision, service, task } from '../model/testing.ts';
import { type Codec, checkKind, decodeObject, encodeObject, upgradeObject } from './codec.ts';

describe('codec', () => {
  it('writes kind, schema version and object as JSON', () => {
    const object = task({ nodeId: 'n1' });
    assert.deepEqual(JSON.parse(encodeObject('task', object)), { kind: 'task', v: 1, object });
  });

  it('reads what it wrote', () => {
    for (const object of [service(), service({ spec: { labels: { 'ä "': '\u2028\n' } } })]) assert.deepEqual(decodeObject('service', encodeObject('service', object)), object);
    assert.deepEqual(decodeObject('revision', encodeObject('revision', revision())), revision());
  });

  it('names the kind it does not know', () => {
    assert.throws(() => checkKind('spaceship'), { code: 'ORCH_UNSUPPORTED', message: /"spaceship"/ });
    assert.throws(() => checkKind('toString'), { code: 'ORCH_UNSUPPORTED' });
    assert.equal(checkKind('task'), 'task');
  });

  it('names the schema version that is newer than it', () => {
    assert.throws(() => decodeObject('task', '{"kind":"task","v":9,"object":{"id":"1","version":1}}'), { code: 'ORCH_UNSUPPORTED', message: /Task .* version 9, .* up to 1/ });
  });

  for (const text of ['', 'x', '[]', 'null', '{"kind":"service","v":1,"object":{"id":"1","version":1}}', '{"kind":"task","v":0,"object":{"id":"1","version":1}}', '{"kind":"task","v":1}', '{"kind":"task","v":1,"object":{"id":1,"version":1}}']) {
    it(`does not take ${JSON.stringify(text)} for a task`, () => {
      assert.throws(() => decodeObject('task', text), { code: 'ORCH_CORRUPT', message: /^Task / });
    });
  }

  it('upgrades step by step from the version that was stored', () => {
    const codec: Codec = { upgrades: [({ name, ...rest }) => ({ ...rest, spec: { name } }), (object) => ({ ...object, labels: {} })] };
    assert.deepEqual(upgradeObject('task', codec, { v: 1, object: { id: '1', name: 'web' } }), { id: '1', spec: { name: 'web' }, labels: {} });
    assert.deepEqual(upgradeObject('task', codec, { v: 2, object: { id: '1', spec: {} } }), { id: '1', spec: {}, labels: {} });
    assert.deepEqual(upgradeObject('task', codec, { v: 3, object: { id: '1' } }), { id: '1' });
    assert.throws(() => upgradeObject('task', codec, { v: 4, object: {} }), { code: 'ORCH_UNSUPPORTED' });
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { resolveUser } from './users.ts';

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:101:102:Web:/srv:/bin/sh\n7:x:500:501::/seven:/bin/sh\nbroken\n:x:abc:1::/:\n',
  group: 'root:x:0:root\nweb:x:102:\nlogs:x:103:web,other\naudio:x:29:\n',
};

describe('resolveUser', () => {
  it('takes root with its groups when nobody is named', () => {
    assert.deepEqual(resolveUser('', [], files), { uid: 0, gid: 0, additionalGids: [0], home: '/root' });
    assert.deepEqual(resolveUser('', [], { passwd: '', group: '' }), { uid: 0, gid: 0, additionalGids: [], home: '/' });
  });

  it('finds names and numbers, with the groups that list the user', () => {
    const web = { uid: 101, gid: 102, additionalGids: [103], home: '/srv' };
    assert.deepEqual(resolveUser('web', [], files), web);
    assert.deepEqual(resolveUser('101', [], files), web);
    assert.deepEqual(resolveUser('7', [], files), { uid: 500, gid: 501, additionalGids: [], home: '/seven' });
    assert.deepEqual(resolveUser('4242', [], files), { uid: 4242, gid: 0, additionalGids: [], home: '/' });
  });

  it('takes a group that is named, and only that', () => {
    assert.deepEqual(resolveUser('web:audio', [], files), { uid: 101, gid: 29, additionalGids: [], home: '/srv' });
    assert.deepEqual(resolveUser('1:2', [], files), { uid: 1, gid: 2, additionalGids: [], home: '/' });
    assert.deepEqual(resolveUser(':audio', [], files), { uid: 0, gid: 29, additionalGids: [], home: '/root' });
  });

  it('adds further groups by name or number, each once', () => {
    assert.deepEqual(resolveUser('web', ['audio', '103', '77'], files).additionalGids, [103, 29, 77]);
  });

  it('refuses names that the image does not know, and numbers out of range', () => {
    const refused = (user: string, groups: string[], text: string): void =>
      assert.throws(() => resolveUser(user, groups, files), (error) => isOrchError(error, 'ORCH_INVALID') && error.message.includes(text));
    refused('nobody', [], '"nobody"');
    refused('web:staff', [], '"staff"');
    refused('web', ['staff'], '"staff"');
    refused('99999999999', [], '99999999999');
  });
});

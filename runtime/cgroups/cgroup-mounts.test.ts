import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseCgroupMounts } from './cgroup-mounts.ts';

describe('parseCgroupMounts', () => {
  it('finds version 1 controllers with a version 2 tree beside them', () => {
    const { controllers, unified } = parseCgroupMounts([
      '22 1 0:20 / /proc rw - proc proc rw',
      '31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct',
      '32 24 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      '33 24 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd',
      '34 24 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw', '',
    ].join('\n'));
    assert.deepEqual([...controllers], [
      ['cpu', '/sys/fs/cgroup/cpu,cpuacct'], ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct'], ['memory', '/sys/fs/cgroup/memory'], ['name=systemd', '/sys/fs/cgroup/systemd'],
    ]);
    assert.equal(unified, '/sys/fs/cgroup/unified');
  });

  it('finds version 2 alone, also below a path with a space', () => {
    assert.deepEqual(parseCgroupMounts('30 23 0:26 / /sys/fs/c\\040group rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate'), { controllers: new Map(), unified: '/sys/fs/c group' });
  });
});

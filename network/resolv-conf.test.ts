import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { parseResolvConf, readContainerResolver, withoutLoopback } from './resolv-conf.ts';

describe('the resolver of containers', () => {
  it('keeps servers, the last search line and all options', () => {
    assert.deepEqual(parseResolvConf('# comment\nnameserver 10.0.0.2\nsearch a.example\nsearch b.example c.example ; note\noptions ndots:2\noptions rotate\n'),
      { nameservers: ['10.0.0.2'], search: ['b.example', 'c.example'], options: ['ndots:2', 'rotate'] });
  });

  it('leaves out servers that a container can\'t reach', () => {
    const config = parseResolvConf('nameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 192.0.2.1\n');
    assert.deepEqual(withoutLoopback(config).nameservers, ['192.0.2.1']);
  });

  it('asks systemd-resolved for the real servers when there are only loopback ones', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'orch-resolv-'));
    try {
      const [own, resolved] = [join(directory, 'own'), join(directory, 'resolved')];
      await writeFile(own, 'nameserver 127.0.0.53\nsearch a.example\n');
      assert.deepEqual((await readContainerResolver(own, resolved)).nameservers, []);
      await writeFile(resolved, 'nameserver 192.0.2.7\n');
      assert.deepEqual((await readContainerResolver(own, resolved)).nameservers, ['192.0.2.7']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

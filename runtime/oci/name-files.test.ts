import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { containerRequest } from '../../test/support/container-request.ts';
import { formatHostname, formatHosts, formatResolvConf } from './name-files.ts';

const bridge = { mode: 'namespace', path: '/run/netns/a' } as const;
const nodeConf = '# node\nnameserver 127.0.0.1\nnameserver 10.0.0.2 ; main\nsearch example.org corp\noptions ndots:2\n';

describe('formatResolvConf', () => {
  it('takes over the node\'s settings without name servers that the container cannot reach', () => {
    assert.equal(formatResolvConf(containerRequest([], { network: bridge }), nodeConf), 'nameserver 10.0.0.2\nsearch example.org corp\noptions ndots:2\n');
    assert.match(formatResolvConf(containerRequest([], { network: { mode: 'host' } }), nodeConf), /^nameserver 127\.0\.0\.1\nnameserver 10\.0\.0\.2\n/);
  });

  it('prefers the request\'s settings, each kind on its own', () => {
    const create = containerRequest([], { network: bridge, dns: { nameservers: ['127.0.0.11'], search: [], options: ['ndots:0'] } });
    assert.equal(formatResolvConf(create, nodeConf), 'nameserver 127.0.0.11\nsearch example.org corp\noptions ndots:0\n');
    assert.equal(formatResolvConf(containerRequest([], { network: bridge, dns: { nameservers: [], search: ['.'], options: [] } }), 'nameserver 9.9.9.9'), 'nameserver 9.9.9.9\n');
  });
});

describe('formatHosts', () => {
  it('names the loopback and the request\'s hosts', () => {
    const text = formatHosts(containerRequest([], { hosts: ['10.1.2.3 db'] }), '1.2.3.4 worker');
    assert.match(text, /^127\.0\.0\.1\tlocalhost\n/);
    assert.match(text, /\n10\.1\.2\.3 db\n$/);
    assert.doesNotMatch(text, /worker/);
  });

  it('begins with the node\'s own file when the container uses the node\'s network', () => {
    assert.equal(formatHosts(containerRequest([], { network: { mode: 'host' }, hosts: ['10.1.2.3 db'] }), '1.2.3.4 node\n'), '1.2.3.4 node\n10.1.2.3 db\n');
  });
});

describe('formatHostname', () => {
  it('is the request\'s, else the beginning of the id', () => {
    const create = containerRequest([]);
    assert.equal(formatHostname({ ...create, hostname: 'web1' }), 'web1\n');
    assert.equal(formatHostname(create), `${create.id.slice(0, 12)}\n`);
  });
});

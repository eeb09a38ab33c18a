import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isInsecureRegistry, registryHost } from './registry-address.ts';

describe('registry addresses', () => {
  it('know where Docker Hub really is', () => {
    assert.equal(registryHost('docker.io'), 'registry-1.docker.io');
    assert.equal(registryHost('quay.io'), 'quay.io');
  });

  it('take this machine and what is listed for insecure, nothing else', () => {
    for (const host of ['localhost', 'localhost:5000', '127.0.0.1:5000', '127.9.9.9', '[::1]:5000', '[::1]']) assert.ok(isInsecureRegistry(host, []), host);
    for (const host of ['registry.example.com', '128.0.0.1', 'localhost.example.com', '[fc00::1]:5000', '10.0.0.5:5000']) assert.ok(!isInsecureRegistry(host, []), host);
    const listed = ['registry.lan:5000', 'plain.lan', '10.0.0.0/8', 'fc00::/7'];
    for (const host of ['registry.lan:5000', 'plain.lan', 'plain.lan:81', '10.1.2.3:5000', '[fc00::1]:5000']) assert.ok(isInsecureRegistry(host, listed), host);
    for (const host of ['registry.lan', 'registry.lan:5001', '11.0.0.1', '[fe80::1]']) assert.ok(!isInsecureRegistry(host, listed), host);
  });
});

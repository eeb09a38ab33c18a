import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { containerRequest, emptyImageConfig } from '../../test/support/container-request.ts';
import { ociConfigSchema } from '../../test/support/oci-schema.ts';
import { skipTest } from '../../test/support/skip.ts';
import type { ContainerCreate } from '../engine.ts';
import type { ImageConfig } from '../image-store.ts';
import { buildSpec } from './build-spec.ts';
import { capabilityNames } from './capabilities.ts';
import type { HostFacts } from './host-facts.ts';
import { formatOciSpec, type OciSpec } from './oci-spec.ts';

const host: HostFacts = { arch: 'amd64', capabilities: new Set(capabilityNames), hardLimits: new Map([['Max open files', 20_000n]]), oomScoreAdj: 0, cgroupVersion: 1 };
const weakHost: HostFacts = { ...host, capabilities: new Set(capabilityNames.filter((name) => name !== 'CAP_SYS_RESOURCE')) };
const nameFiles = { hosts: '/c/hosts', hostname: '/c/hostname', resolvConf: '/c/resolv.conf' };
const passwd = 'root:x:0:0::/root:/bin/sh\nweb:x:101:102::/srv:/bin/sh\n';

function spec(changes: Partial<ContainerCreate> = {}, options: { image?: Partial<ImageConfig>; host?: HostFacts; command?: readonly string[] } = {}): OciSpec {
  const create = containerRequest(options.command ?? ['sh'], changes);
  return buildSpec({
    create, image: { ...emptyImageConfig, ...options.image }, host: options.host ?? host, cgroupsPath: `/orch/n1/${create.id}`, nameFiles,
    mounts: create.mounts.map((mount) => ({ ...mount, hostPath: mount.source })), userFiles: { passwd, group: '' },
  });
}

function withoutCommand(changes: Partial<ContainerCreate>, image: Partial<ImageConfig>): OciSpec {
  const { command: _command, ...request } = containerRequest([]);
  return buildSpec({ create: { ...request, ...changes }, image: { ...emptyImageConfig, ...image }, host, cgroupsPath: '/orch/n1/a', nameFiles, mounts: [], userFiles: { passwd, group: '' } });
}

const refuses = (changes: Partial<ContainerCreate>, text: string): void =>
  assert.throws(() => spec(changes), (error) => isOrchError(error, 'ORCH_INVALID') && error.message.includes(text));

describe('the process of a container', () => {
  it('combines command and arguments of request and image as Docker does', () => {
    const image = { entrypoint: ['/entry', '-v'], cmd: ['serve'] };
    assert.deepEqual(withoutCommand({}, image).process.args, ['/entry', '-v', 'serve']);
    assert.deepEqual(withoutCommand({ args: ['check'] }, image).process.args, ['/entry', '-v', 'check']);
    assert.deepEqual(withoutCommand({ command: ['sh'] }, image).process.args, ['sh']);
    assert.deepEqual(withoutCommand({ command: ['sh'], args: ['-c', 'x'] }, image).process.args, ['sh', '-c', 'x']);
    assert.throws(() => withoutCommand({}, {}), (error) => isOrchError(error, 'ORCH_INVALID') && error.message.includes('no command'));
  });

  it('lets the request\'s environment win over the image\'s, and a bare name take a variable away', () => {
    const { env } = spec({ env: ['A=2', 'GONE', 'EMPTY='], user: 'web', hostname: 'h1' }, { image: { env: ['A=1', 'B=1', 'GONE=1', 'PATH=/image'] } }).process;
    assert.deepEqual(new Set(env), new Set(['PATH=/image', 'HOSTNAME=h1', 'HOME=/srv', 'A=2', 'B=1', 'EMPTY=']));
    assert.ok(spec({ tty: true }).process.env.includes('TERM=xterm'));
    assert.ok(spec({ env: ['HOME=/mine'] }).process.env.includes('HOME=/mine'));
  });

  it('gives capabilities to root, and to others only what setuid programs may gain', () => {
    const root = spec().process.capabilities;
    assert.equal(root.effective.length, 14);
    assert.deepEqual(root.bounding, root.effective);
    const web = spec({ user: 'web' }).process;
    assert.equal(web.user.uid, 101);
    assert.deepEqual([web.capabilities.effective.length, web.capabilities.permitted.length, web.capabilities.bounding.length], [0, 0, 14]);
    assert.equal(spec({}, { image: { user: 'web' } }).process.user.gid, 102);
  });

  it('gets limits and an OOM score that the daemon may set', () => {
    const nofile = (value: OciSpec): bigint[] => value.process.rlimits.filter(({ type }) => type === 'RLIMIT_NOFILE').flatMap(({ soft, hard }) => [soft, hard]);
    assert.deepEqual(nofile(spec()), [1_048_576n, 1_048_576n]);
    assert.deepEqual(nofile(spec({}, { host: weakHost })), [20_000n, 20_000n]);
    assert.deepEqual(nofile(spec({ ulimits: [{ name: 'nofile', soft: 100, hard: -1 }] }, { host: weakHost })), [100n, 20_000n]);
    assert.equal(spec({ oomScoreAdj: -500 }).process.oomScoreAdj, -500);
    assert.equal(spec({ oomScoreAdj: -500 }, { host: weakHost }).process.oomScoreAdj, 0);
    assert.equal(spec({ oomScoreAdj: -500 }, { host: { ...weakHost, oomScoreAdj: -999 } }).process.oomScoreAdj, -500);
    refuses({ ulimits: [{ name: 'files', soft: 1, hard: 1 }] }, '"files"');
    refuses({ ulimits: [{ name: 'core', soft: 2, hard: 1 }] }, 'above the hard limit');
    refuses({ oomScoreAdj: 1001 }, '1001');
  });

  it('gets an unlimited limit exactly', () => {
    assert.match(formatOciSpec(spec({ ulimits: [{ name: 'core', soft: -1, hard: -1 }] })), /"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615/);
  });
});

describe('the isolation of a container', () => {
  it('covers everything; the network as asked', () => {
    const types = (value: OciSpec): string[] => value.linux.namespaces.map(({ type }) => type);
    assert.deepEqual(types(spec()), ['pid', 'mount', 'uts', 'ipc', 'cgroup', 'network']);
    assert.ok(!types(spec({ network: { mode: 'host' } })).includes('network'));
    assert.deepEqual(spec({ network: { mode: 'namespace', path: '/run/n' } }).linux.namespaces.at(-1), { type: 'network', path: '/run/n' });
  });

  it('turns limits into cgroup settings', () => {
    const resources = spec({ limits: { nanoCpus: 1_500_000_000, memoryBytes: 64 << 20, pids: 100 } }).linux.resources;
    assert.deepEqual(resources.cpu, { quota: 150_000, period: 100_000 });
    assert.deepEqual([resources.memory, resources.pids], [{ limit: 64 << 20 }, { limit: 100 }]);
    assert.deepEqual(Object.keys(spec().linux.resources), ['devices']);
    assert.equal(spec({ limits: { nanoCpus: 1 } }).linux.resources.cpu?.quota, 1000);
    assert.deepEqual(spec({ limits: { memoryBytes: 64 << 20 } }, { host: { ...host, cgroupVersion: 2 } }).linux.resources.unified, { 'memory.oom.group': '1' });
    refuses({ limits: { memoryBytes: 1024 } }, '6 MiB');
  });

  it('allows settings of the container\'s own namespaces only', () => {
    assert.deepEqual(spec({ sysctls: { 'net.core.somaxconn': '100' } }).linux.sysctl, {
      'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647', 'net.core.somaxconn': '100',
    });
    assert.deepEqual(spec({ network: { mode: 'host' } }).linux.sysctl, {});
    refuses({ sysctls: { 'vm.swappiness': '1' } }, 'vm.swappiness');
    refuses({ sysctls: { 'net.core.somaxconn': '100' }, network: { mode: 'host' } }, 'net.core.somaxconn');
  });
});

describe('the mounts of a container', () => {
  it('puts mounts of the request over its own, parents first', () => {
    const mounts = [
      { type: 'bind', source: '/host/sub', target: '/data/sub', readOnly: true },
      { type: 'bind', source: '/host', target: '/data/', readOnly: false, propagation: 'rslave' },
      { type: 'tmpfs', source: '', target: '/dev/shm', readOnly: false, tmpfs: { sizeBytes: 4096, mode: 0o700 } },
      { type: 'bind', source: '/host/hosts', target: '/etc/hosts', readOnly: true },
    ] as const;
    const built = spec({ mounts }).mounts;
    const at = (path: string): { source: string; options: readonly string[] }[] => built.filter(({ destination }) => destination === path);
    assert.deepEqual(at('/data').map(({ source, options }) => [source, ...options]), [['/host', 'rbind', 'rslave', 'rw']]);
    assert.deepEqual(at('/data/sub').map(({ options }) => options), [['rbind', 'rprivate', 'ro']]);
    assert.deepEqual(at('/dev/shm').map(({ options }) => options), [['nosuid', 'nodev', 'noexec', 'rw', 'size=4096', 'mode=700']]);
    assert.deepEqual(at('/etc/hosts').map(({ source }) => source), ['/host/hosts']);
    assert.ok(built.findIndex(({ destination }) => destination === '/data') < built.findIndex(({ destination }) => destination === '/data/sub'));
  });

  it('refuses mounts over the kernel\'s own files, twice at one place, or at no place', () => {
    for (const target of ['/', 'data', '/proc', '/proc/../sys/fs', '/dev/pts/1']) refuses({ mounts: [{ type: 'tmpfs', source: '', target, readOnly: false }] }, 'mount');
    refuses({ mounts: [{ type: 'tmpfs', source: '', target: '/a', readOnly: false }, { type: 'tmpfs', source: '', target: '/a/', readOnly: false }] }, '/a');
  });
});

describe('the configuration of a container', () => {
  it('is valid by the OCI runtime specification whatever is asked for', function () {
    const validate = ociConfigSchema();
    if (typeof validate === 'string') skipTest(this, validate);
    const anyRequest = fc.record({
      env: fc.array(fc.stringMatching(/^[A-Z]{1,8}=[ -~]{0,20}$/)), user: fc.constantFrom('', 'web', '0:5', '1000'), tty: fc.boolean(), readOnly: fc.boolean(),
      noNewPrivileges: fc.boolean(), oomScoreAdj: fc.integer({ min: -1000, max: 1000 }),
      capabilityAdd: fc.subarray([...capabilityNames, 'ALL', 'kill']), capabilityDrop: fc.subarray([...capabilityNames, 'ALL']),
      limits: fc.record({ nanoCpus: fc.integer({ min: 0, max: 64e9 }), memoryBytes: fc.constantFrom(0, 8 << 20, 2 ** 40), pids: fc.integer({ min: 0, max: 1e6 }) }),
      ulimits: fc.constantFrom([], [{ name: 'nofile', soft: 1, hard: 2 ** 40 }], [{ name: 'core', soft: -1, hard: -1 }]),
      mounts: fc.uniqueArray(fc.constantFrom('/a', '/a/b', '/dev/shm', '/etc/hosts')).map((targets) => targets.map((target) => ({ type: 'tmpfs' as const, source: '', target, readOnly: true }))),
      network: fc.constantFrom({ mode: 'none' as const }, { mode: 'host' as const }, { mode: 'namespace' as const, path: '/run/n' }),
    });
    fc.assert(fc.property(anyRequest, fc.constantFrom(host, weakHost, { ...host, arch: 'arm64', cgroupVersion: 2 as const }), (request, facts) => {
      try {
        const valid = validate(JSON.parse(formatOciSpec(spec(request, { host: facts }))));
        assert.ok(valid, JSON.stringify(validate.errors));
      } catch (error) {
        if (!isOrchError(error, 'ORCH_UNSUPPORTED')) throw error; // asked for a capability the host lacks
      }
    }), { numRuns: 100 });
  });
});

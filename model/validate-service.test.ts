import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from './errors.ts';
import { throwIfInvalid } from './problems.ts';
import type { ContainerSpec, Mount, PublishedPort, ServiceSpec, TaskTemplate } from './service.ts';
import { serviceSpec, template } from './testing.ts';
import type { ServiceSpecOverrides, TemplateOverrides } from './testing.ts';
import { validateServiceSpec } from './validate-service.ts';

/** Expected problems: path and a pattern of the message, in order. */
type Expected = readonly (readonly [path: string, message: RegExp])[];

function expectProblems(spec: ServiceSpec, expected: Expected): void {
  const problems = validateServiceSpec(spec);
  assert.deepEqual(problems.map((problem) => problem.path), expected.map(([path]) => path), JSON.stringify(problems));
  for (const [index, [path, message]] of expected.entries()) assert.match(problems[index]?.message ?? '', message, path);
}
const ofSpec = (overrides: ServiceSpecOverrides, ...expected: Expected): void => expectProblems(serviceSpec(overrides), expected);
const ofTemplate = (overrides: TemplateOverrides, ...expected: Expected): void => ofSpec({ template: overrides }, ...expected);
const ofContainer = (container: Partial<ContainerSpec>, ...expected: Expected): void =>
  ofTemplate({ container }, ...expected.map(([path, message]) => [`template.container.${path}`, message] as const));
const mount = (overrides: Partial<Mount>): Mount => ({ type: 'volume', source: 'data', target: '/data', readOnly: false, ...overrides });
const port = (overrides: Partial<PublishedPort>): PublishedPort => ({ protocol: 'tcp', targetPort: 80, publishedPort: 8080, mode: 'ingress', ...overrides });

/** Stands for what an unchecked caller may pass where the type has only certain words. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a wrong value on purpose
const wrong = <T>(value: unknown): T => value as T;

describe('validateServiceSpec', () => {
  it('finds nothing wrong with a plain service', () => ofSpec({}));

  it('finds nothing wrong with everything used as it should be', () => {
    ofSpec({
      name: 'stack_web-1', labels: { a: '', 'com.example/b': 'c' }, replicas: 0,
      update: { parallelism: 0, delayMs: 0, failureAction: 'rollback', monitorMs: 1, maxFailureRatio: 1, order: 'start-first' },
      endpoint: { mode: 'dnsrr', ports: [port({ mode: 'host' }), port({ mode: 'host', protocol: 'udp' }), port({ mode: 'host', publishedPort: 0 }), port({ mode: 'host', publishedPort: 0 })] },
      template: {
        resources: { limits: { nanoCpus: 1_000_000, memoryBytes: 4 * 1024 ** 2, pids: 0 }, reservations: { nanoCpus: 1_000_000, memoryBytes: 4 * 1024 ** 2 } },
        placement: { constraints: ['node.role==worker', 'node.labels.a != b'], spread: ['node.labels.zone'], maxReplicasPerNode: 2, platforms: [{ os: 'linux', arch: 'arm64' }, { os: '', arch: '' }] },
        networks: [{ target: 'front', aliases: ['web'] }, { target: 'back', aliases: [] }],
        logDriver: { name: 'json-file', options: {} },
        container: {
          env: ['A=', 'B', 'C=d=e', 'D=line\nline'], hostname: '{{.Node.Hostname}}-x', dir: '/srv', user: '1000:1000', groups: ['wheel', '4'], stopSignal: 'SIGRTMIN+3', stopGraceMs: 0,
          mounts: [mount({}), mount({ target: '/anonymous', source: '' }), mount({ type: 'bind', source: '/srv', target: '/srv', propagation: 'rslave' }), mount({ type: 'tmpfs', source: '', target: '/tmp', tmpfs: { sizeBytes: 0, mode: 0o1777 } })],
          hosts: ['10.0.0.1 db db.local', '::1 six'], dns: { nameservers: ['1.1.1.1', '2606:4700::1111'], search: ['example.com', '.'], options: ['ndots:2'] },
          capabilityAdd: ['net_admin', 'CAP_SYS_TIME'], capabilityDrop: ['ALL'], sysctls: { 'net.core.somaxconn': '1', 'kernel.shmmax': '1', 'kernel.sem': '1', 'fs.mqueue.msg_max': '1' },
          ulimits: [{ name: 'nofile', soft: 1024, hard: 2048 }, { name: 'memlock', soft: -1, hard: -1 }, { name: 'core', soft: 0, hard: -1 }], oomScoreAdj: -500,
          healthCheck: { test: ['CMD-SHELL', 'true'], intervalMs: 0, retries: 3 },
        },
      },
    });
  });

  it('reports every problem at once, each at its place', () => {
    ofSpec({ name: '', replicas: -1, template: { container: { image: 'Web', mounts: [mount({}), mount({ target: 'x' })] } }, endpoint: { mode: 'vip', ports: [port({ targetPort: 0 })] } },
      ['name', /empty/], ['template.container.image', /"Web" is not a valid image reference: .*lower case/], ['template.container.mounts[1].target', /must be an absolute path, not "x"/],
      ['mode.replicas', /at least 0, not -1/], ['endpoint.ports[0].targetPort', /from 1 to 65535, not 0/]);
  });

  it('checks name, labels and mode', () => {
    ofSpec({ name: 'a.b', labels: { '': 'x', ' a': 'y' } }, ['name', /letters/], ['labels[""]', /empty/], ['labels[" a"]', /white space/]);
    ofSpec({ replicas: 1.5 }, ['mode.replicas', /whole number/]);
    ofSpec({ replicas: Number.NaN }, ['mode.replicas', /whole number/]);
    ofSpec({ mode: wrong({ type: 'swarm' }) }, ['mode.type', /replicated, global, not "swarm"/]);
  });

  it('checks resources', () => {
    ofTemplate({ resources: { limits: { nanoCpus: 999_999, memoryBytes: 4_194_303, pids: -1 }, reservations: { nanoCpus: 0.5, memoryBytes: -1 } } },
      ['template.resources.limits.nanoCpus', /at least 0\.001 CPUs/], ['template.resources.limits.memoryBytes', /at least 4MiB/], ['template.resources.reservations.nanoCpus', /whole/],
      ['template.resources.reservations.memoryBytes', /whole/], ['template.resources.limits.pids', /at least 0/]);
    ofTemplate({ resources: { limits: { nanoCpus: 1e9, memoryBytes: 2 ** 23 }, reservations: { nanoCpus: 1e9 + 1, memoryBytes: 2 ** 24 } } },
      ['template.resources.reservations.nanoCpus', /above the limit of 1000000000/], ['template.resources.reservations.memoryBytes', /above the limit of 8388608/]);
    ofTemplate({ resources: { limits: { nanoCpus: 0, memoryBytes: 0 }, reservations: { nanoCpus: 1e9, memoryBytes: 2 ** 24 } } });
  });
});

describe('validateServiceSpec on policies, placement and ports', () => {
  it('checks restart policy and updates', () => {
    ofTemplate({ restart: { condition: wrong('always'), delayMs: -1, maxAttempts: -1, windowMs: Number.POSITIVE_INFINITY } },
      ['template.restart.condition', /none, on-failure, any, not "always"/], ['template.restart.delayMs', /0 or more/], ['template.restart.maxAttempts', /at least 0/], ['template.restart.windowMs', /0 or more/]);
    const update = { parallelism: -1, delayMs: -1, failureAction: wrong<'pause'>('stop'), monitorMs: -1, maxFailureRatio: 1.1, order: wrong<'stop-first'>('none') };
    ofSpec({ update }, ['update.parallelism', /at least 0/], ['update.delayMs', /0 or more/], ['update.failureAction', /"stop"/], ['update.monitorMs', /0 or more/], ['update.maxFailureRatio', /from 0 to 1/], ['update.order', /"none"/]);
    ofSpec({ rollback: { ...serviceSpec().rollback, failureAction: 'rollback', maxFailureRatio: Number.NaN } }, ['rollback.maxFailureRatio', /0 to 1/], ['rollback.failureAction', /pause or continue/]);
  });

  it('checks placement, networks and the log driver', () => {
    ofTemplate({ placement: { constraints: ['node.role==manager', 'disk==ssd'], spread: ['zone'], maxReplicasPerNode: -1, platforms: [{ os: 'linux amd64', arch: '' }] }, forceUpdate: -1, logDriver: { name: '', options: {} } },
      ['template.placement.constraints[1]', /"disk==ssd" is not a valid placement constraint/], ['template.placement.spread[0]', /"zone" is not a valid placement preference/],
      ['template.placement.maxReplicasPerNode', /at least 0/], ['template.placement.platforms[0]', /linux\/amd64/], ['template.logDriver.name', /empty/], ['template.forceUpdate', /at least 0/]);
    ofTemplate({ networks: [{ target: 'a', aliases: ['-'] }, { target: 'a', aliases: [] }, { target: '', aliases: [] }, { target: 'host', aliases: [] }] },
      ['template.networks[0].aliases[0]', /letters/], ['template.networks[2].target', /empty/], ['template.networks[1]', /"a" is attached already/], ['template.networks', /"host" cannot be combined/]);
  });

  it('checks ports', () => {
    ofSpec({ endpoint: { mode: 'vip', ports: [port({ targetPort: 65_536, publishedPort: -1, protocol: wrong('icmp'), mode: wrong('mesh') }), port({}), port({ protocol: 'udp' }), port({ targetPort: 81, mode: 'host' })] } },
      ['endpoint.ports[0].protocol', /"icmp"/], ['endpoint.ports[0].targetPort', /1 to 65535/], ['endpoint.ports[0].publishedPort', /0 to 65535/], ['endpoint.ports[0].mode', /"mesh"/], ['endpoint.ports[3]', /8080\/tcp is published already/]);
    ofSpec({ endpoint: { mode: 'dnsrr', ports: [port({})] } }, ['endpoint.ports[0].mode', /dnsrr/]);
    ofSpec({ endpoint: { mode: wrong('dns'), ports: [] } }, ['endpoint.mode', /"dns"/]);
  });
});

describe('validateServiceSpec on containers', () => {
  it('checks the process', () => {
    ofContainer({ env: ['=a', '', 'A\0=b'], command: ['a\0'], args: ['a\0'], dir: 'srv', user: 'a:b:c', groups: ['a b'], stopSignal: 'SIGNOPE', stopGraceMs: -1 },
      ['env[0]', /KEY=VALUE/], ['env[1]', /KEY=VALUE/], ['env[2]', /KEY=VALUE/], ['command[0]', /NUL/], ['args[0]', /NUL/], ['dir', /absolute path/], ['user', /USER:GROUP/], ['groups[0]', /group/], ['stopSignal', /SIGNOPE/], ['stopGraceMs', /0 or more/]);
  });

  it('checks mounts', () => {
    ofContainer({ mounts: [mount({ target: '/' }), mount({ target: '/a/../b' }), mount({ target: '/x', source: 'a b' }), mount({ type: 'bind', source: 'data' }), mount({ target: '/data//./', propagation: 'shared' })] },
      ['mounts[0].target', /must not be \//], ['mounts[1].target', /\.\./], ['mounts[2].source', /letters/], ['mounts[3].source', /absolute path on the node, not "data"/], ['mounts[4].propagation', /bind only/], ['mounts[4]', /target \/data already/]);
    ofContainer({ mounts: [mount({ type: 'tmpfs', tmpfs: { sizeBytes: -1, mode: 0o10000 } }), mount({ target: '/b', tmpfs: {} }), mount({ type: wrong('npipe'), target: '/c' }), mount({ type: 'bind', source: '/s', target: '/d', propagation: wrong('up') })] },
      ['mounts[0].source', /empty for a tmpfs/], ['mounts[0].tmpfs.sizeBytes', /at least 0/], ['mounts[0].tmpfs.mode', /0 to 4095/], ['mounts[1].tmpfs', /tmpfs only/], ['mounts[2].type', /"npipe"/], ['mounts[3].propagation', /"up"/]);
  });

  it('checks names and addresses', () => {
    ofContainer({ labels: { '': '' }, hostname: '-a', hosts: ['db 10.0.0.1', '10.0.0.1'], dns: { nameservers: ['dns.example'], search: ['a b'], options: ['a b'] } },
      ['labels[""]', /empty/], ['hostname', /host name/], ['hosts[0]', /ADDRESS NAME/], ['hosts[1]', /ADDRESS NAME/], ['dns.nameservers[0]', /IP address/], ['dns.search[0]', /domain name/], ['dns.options[0]', /one word/]);
    ofContainer({ hostname: 'a'.repeat(64) }, ['hostname', /63/]);
  });

  it('checks privileges and limits', () => {
    ofContainer({
      capabilityAdd: ['CAP_NOPE'], capabilityDrop: [''], sysctls: { 'vm.swappiness': '1', 'kernel.hostname': 'x' }, oomScoreAdj: 1001,
      ulimits: [{ name: 'files', soft: 0, hard: 0 }, { name: 'nofile', soft: 2, hard: 1 }, { name: 'nofile', soft: -1, hard: 1 }, { name: 'core', soft: -2, hard: 0.5 }],
    }, ['capabilityAdd[0]', /CAP_NOPE/], ['capabilityDrop[0]', /""/], ['sysctls["vm.swappiness"]', /whole node/], ['sysctls["kernel.hostname"]', /whole node/],
    ['ulimits[0].name', /"files"/], ['ulimits[1].soft', /hard limit of 1/], ['ulimits[2].soft', /hard limit of 1/], ['ulimits[3].soft', /at least -1/], ['ulimits[3].hard', /at least -1/], ['ulimits[2]', /nofile already/], ['oomScoreAdj', /-1000 to 1000/]);
  });

  it('checks health checks', () => {
    const test = (...words: string[]): Partial<ContainerSpec> => ({ healthCheck: { test: words } });
    for (const words of [[], ['NONE'], ['CMD', 'a'], ['CMD-SHELL', 'a b']]) ofContainer(test(...words));
    for (const words of [['NONE', 'a'], ['CMD'], ['CMD-SHELL'], ['CMD-SHELL', 'a', 'b'], ['curl'], ['']]) ofContainer(test(...words), ['healthCheck.test', /NONE|CMD/]);
    ofContainer({ healthCheck: { test: [], intervalMs: -1, timeoutMs: -1, startPeriodMs: -1, startIntervalMs: -1, retries: -1 } },
      ['healthCheck.intervalMs', /0 or more/], ['healthCheck.timeoutMs', /0 or more/], ['healthCheck.startPeriodMs', /0 or more/], ['healthCheck.startIntervalMs', /0 or more/], ['healthCheck.retries', /at least 0/]);
  });
});

describe('throwIfInvalid', () => {
  it('does nothing without problems', () => throwIfInvalid('Service "web"', []));

  it('throws one error that names the object and lists every problem', () => {
    const bad: TaskTemplate = template({ container: { image: '' } });
    assert.throws(() => throwIfInvalid('Service "web"', validateServiceSpec({ ...serviceSpec({ replicas: -1 }), template: bad })), (error) => {
      assert.ok(isOrchError(error, 'ORCH_INVALID'));
      assert.equal(error.message, 'Service "web" is not valid: template.container.image: "" is not a valid image reference: the name is missing; mode.replicas: must be a whole number of at least 0, not -1');
      assert.deepEqual(error.details, { 'template.container.image': '"" is not a valid image reference: the name is missing', 'mode.replicas': 'must be a whole number of at least 0, not -1' });
      return true;
    });
  });
});

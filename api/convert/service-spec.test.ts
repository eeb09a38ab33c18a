import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { defaultRestartPolicy, defaultUpdateConfig } from '../../model/defaults.ts';
import type { ErrorDetails } from '../../model/errors.ts';
import { isOrchError } from '../../model/errors.ts';
import type { ContainerSpec, ServiceSpec } from '../../model/service.ts';
import { assertDocker } from '../../test/support/docker-reference.ts';
import { dockerServiceSpec, readServiceSpec } from './service-spec.ts';

/** Every service spec that has one way to be written: what Docker's clients leave out when empty is never there empty. */
const text = fc.string({ minLength: 1, maxLength: 12 });
const texts = fc.array(text, { minLength: 1, maxLength: 3 });
const labels = fc.dictionary(text.filter((name) => name !== '__proto__'), fc.string({ maxLength: 8 }), { noNullPrototype: true });
const someLabels = labels.filter((value) => Object.keys(value).length > 0);
const whole = fc.integer({ min: 0, max: 2 ** 40 });
const positive = fc.integer({ min: 1, max: 2 ** 40 });
const durationMs = fc.integer({ min: 0, max: 400 * 24 * 3_600_000 });
const positiveMs = fc.integer({ min: 1, max: 400 * 24 * 3_600_000 });
const isTrue = fc.constant(true);
/** A record whose fields are all there or missing, never undefined. */
const optional = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });
const nonEmptyOptional = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => optional(fields).filter((value) => Object.keys(value).length > 0);
const merged = <A, B>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>): fc.Arbitrary<A & B> => fc.tuple(a, b).map(([first, second]) => ({ ...first, ...second }));

const mount = fc.oneof(
  merged(fc.record({ type: fc.constant('bind' as const), source: text, target: text, readOnly: fc.boolean() }), optional({ propagation: fc.constantFrom('rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave') })),
  fc.record({ type: fc.constant('volume' as const), source: fc.string({ maxLength: 5 }), target: text, readOnly: fc.boolean() }),
  merged(fc.record({ type: fc.constant('tmpfs' as const), source: fc.constant(''), target: text, readOnly: fc.boolean() }),
    optional({ tmpfs: nonEmptyOptional({ sizeBytes: positive, mode: fc.integer({ min: 1, max: 0o7777 }) }) })),
);
const healthCheck = merged(fc.record({ test: texts }), optional({ intervalMs: positiveMs, timeoutMs: positiveMs, retries: positive, startPeriodMs: positiveMs, startIntervalMs: positiveMs }));
const container = merged(fc.record({ image: text }), optional({
  command: texts, args: texts, env: texts, labels: someLabels, hostname: text, dir: text, user: text, groups: texts, tty: isTrue, openStdin: isTrue, readOnly: isTrue,
  stopSignal: text, stopGraceMs: durationMs, mounts: fc.array(mount, { minLength: 1, maxLength: 3 }), hosts: texts,
  dns: nonEmptyOptional({ nameservers: texts, search: texts, options: texts }),
  capabilityAdd: texts, capabilityDrop: texts, sysctls: someLabels,
  ulimits: fc.array(fc.record({ name: text, soft: fc.integer({ min: -1, max: 1e6 }), hard: fc.integer({ min: -1, max: 1e6 }) }), { minLength: 1, maxLength: 2 }),
  oomScoreAdj: fc.constantFrom(-1000, -1, 1, 1000), healthCheck, init: fc.boolean(), noNewPrivileges: isTrue,
} satisfies Record<Exclude<keyof ContainerSpec, 'image'>, unknown>));
const template = merged(fc.record({
  container,
  resources: fc.record({ limits: optional({ nanoCpus: positive, memoryBytes: positive, pids: positive }), reservations: optional({ nanoCpus: positive, memoryBytes: positive }) }),
  restart: fc.record({ condition: fc.constantFrom('none' as const, 'on-failure' as const, 'any' as const), delayMs: durationMs, maxAttempts: whole, windowMs: durationMs }),
  placement: fc.record({
    constraints: fc.array(text, { maxLength: 2 }), spread: fc.array(text, { maxLength: 2 }), maxReplicasPerNode: whole,
    platforms: fc.array(fc.record({ os: fc.constantFrom('linux', ''), arch: fc.constantFrom('amd64', 'arm64', 'arm/v7', '') }), { maxLength: 2 }),
  }),
  networks: fc.array(fc.record({ target: text, aliases: fc.array(text, { maxLength: 2 }) }), { maxLength: 2 }),
  forceUpdate: whole,
}), optional({ logDriver: fc.record({ name: fc.constantFrom('json-file', 'local'), options: fc.constant({}) }) }));
const update = <T extends string>(failureAction: fc.Arbitrary<T>) => fc.record({
  parallelism: whole, delayMs: durationMs, failureAction, monitorMs: positiveMs, maxFailureRatio: fc.constantFrom(0, 0.15, 0.5, 1), order: fc.constantFrom('stop-first' as const, 'start-first' as const),
});
const port = merged(fc.record({
  protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const), targetPort: fc.integer({ min: 0, max: 65_535 }), publishedPort: fc.integer({ min: 0, max: 65_535 }), mode: fc.constantFrom('ingress' as const, 'host' as const),
}), optional({ name: text }));
const serviceSpec: fc.Arbitrary<ServiceSpec> = fc.record({
  name: fc.string({ maxLength: 8 }), labels, template,
  mode: fc.oneof(fc.record({ type: fc.constant('replicated' as const), replicas: whole }), fc.record({ type: fc.constant('global' as const) })),
  update: update(fc.constantFrom('pause' as const, 'continue' as const, 'rollback' as const)), rollback: update(fc.constantFrom('pause' as const, 'continue' as const)),
  endpoint: fc.record({ mode: fc.constantFrom('vip' as const, 'dnsrr' as const), ports: fc.array(port, { maxLength: 2 }) }),
});

const base = { Name: 'web', TaskTemplate: { ContainerSpec: { Image: 'web:1' } } };
const read = (changes: object): ServiceSpec => readServiceSpec({ ...base, ...changes });
const ofContainer = (changes: object): ServiceSpec => read({ TaskTemplate: { ContainerSpec: { Image: 'web:1', ...changes } } });

function refusal(run: () => unknown): { code: string; details: ErrorDetails } {
  try {
    run();
  } catch (error) {
    assert.ok(isOrchError(error), String(error));
    return { code: error.code, details: error.details };
  }
  return assert.fail('nothing was refused');
}

/** Wishes that orch cannot fulfil, by the path that the refusal names. */
const unsupported: Readonly<Record<string, () => unknown>> = {
  'TaskTemplate.ContainerSpec.Secrets': () => ofContainer({ Secrets: [{ SecretID: 's' }] }),
  'TaskTemplate.ContainerSpec.Configs': () => ofContainer({ Configs: [{ ConfigID: 'c' }] }),
  'TaskTemplate.ContainerSpec.Isolation': () => ofContainer({ Isolation: 'hyperv' }),
  'TaskTemplate.ContainerSpec.Privileges.CredentialSpec': () => ofContainer({ Privileges: { CredentialSpec: { File: 'spec.json' } } }),
  'TaskTemplate.ContainerSpec.Privileges.SELinuxContext': () => ofContainer({ Privileges: { SELinuxContext: { Disable: true } } }),
  'TaskTemplate.ContainerSpec.Privileges.Seccomp.Mode': () => ofContainer({ Privileges: { Seccomp: { Mode: 'unconfined' } } }),
  'TaskTemplate.ContainerSpec.Privileges.AppArmor.Mode': () => ofContainer({ Privileges: { AppArmor: { Mode: 'disabled' } } }),
  'TaskTemplate.ContainerSpec.Mounts[0].Type': () => ofContainer({ Mounts: [{ Type: 'npipe', Source: 'a', Target: 'b' }] }),
  'TaskTemplate.ContainerSpec.Mounts[0].BindOptions.NonRecursive': () => ofContainer({ Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', BindOptions: { NonRecursive: true } }] }),
  'TaskTemplate.ContainerSpec.Mounts[0].VolumeOptions.DriverConfig': () => ofContainer({ Mounts: [{ Type: 'volume', Source: 'a', Target: '/b', VolumeOptions: { DriverConfig: { Name: 'nfs' } } }] }),
  'TaskTemplate.ContainerSpec.Mounts[0].TmpfsOptions.Options': () => ofContainer({ Mounts: [{ Type: 'tmpfs', Target: '/b', TmpfsOptions: { Options: [['noexec']] } }] }),
  'TaskTemplate.PluginSpec': () => read({ TaskTemplate: { PluginSpec: { Name: 'p' } } }),
  'TaskTemplate.Runtime': () => read({ TaskTemplate: { ...base.TaskTemplate, Runtime: 'plugin' } }),
  'TaskTemplate.LogDriver.Name': () => read({ TaskTemplate: { ...base.TaskTemplate, LogDriver: { Name: 'syslog' } } }),
  'TaskTemplate.LogDriver.Options': () => read({ TaskTemplate: { ...base.TaskTemplate, LogDriver: { Name: 'json-file', Options: { 'max-size': '1m' } } } }),
  'TaskTemplate.Resources.Reservations.GenericResources': () => read({ TaskTemplate: { ...base.TaskTemplate, Resources: { Reservations: { GenericResources: [{}] } } } }),
  'TaskTemplate.Resources.SwapBytes': () => read({ TaskTemplate: { ...base.TaskTemplate, Resources: { SwapBytes: 0 } } }),
  'TaskTemplate.Resources.MemorySwappiness': () => read({ TaskTemplate: { ...base.TaskTemplate, Resources: { MemorySwappiness: 0 } } }),
  'TaskTemplate.Networks[0].DriverOpts': () => read({ TaskTemplate: { ...base.TaskTemplate, Networks: [{ Target: 'n', DriverOpts: { a: 'b' } }] } }),
  'Mode.ReplicatedJob': () => read({ Mode: { ReplicatedJob: { MaxConcurrent: 2 } } }),
  'Mode.GlobalJob': () => read({ Mode: { GlobalJob: {} } }),
};

describe('service specs between Docker and the model', () => {
  it('come back the same after a way through Docker\'s JSON', () => {
    fc.assert(fc.property(serviceSpec, (spec) => {
      const json: unknown = JSON.parse(JSON.stringify(dockerServiceSpec(spec)));
      assert.deepEqual(readServiceSpec(json), structuredClone(spec)); // the copy has plain prototypes
    }), { numRuns: 300 });
  }).timeout(10_000);

  it('are of Docker\'s shape', () => {
    fc.assert(fc.property(serviceSpec, (spec) => { assertDocker('ServiceSpec', JSON.parse(JSON.stringify(dockerServiceSpec(spec)))); }), { numRuns: 100 });
  }).timeout(10_000);

});

describe('a service spec of Docker', () => {
  it('takes Swarm\'s defaults for what is missing', () => {
    assert.deepEqual(readServiceSpec(base), {
      name: 'web', labels: {}, mode: { type: 'replicated', replicas: 1 }, update: defaultUpdateConfig, rollback: defaultUpdateConfig, endpoint: { mode: 'vip', ports: [] },
      template: {
        container: { image: 'web:1' }, resources: { limits: {}, reservations: {} }, restart: defaultRestartPolicy,
        placement: { constraints: [], spread: [], maxReplicasPerNode: 0, platforms: [] }, networks: [], forceUpdate: 0,
      },
    });
    assert.deepEqual(read({ RollbackConfig: { Parallelism: 4 }, Mode: { Replicated: {} } }).rollback, { ...defaultUpdateConfig, parallelism: 4 });
  });

  it('may have what Go writes for fields that nobody set', () => {
    const go = ofContainer({
      Labels: {}, Args: null, Command: [], TTY: false, Privileges: { CredentialSpec: null, SELinuxContext: null, Seccomp: null, AppArmor: { Mode: 'default' } },
      Isolation: 'default', DNSConfig: {}, Secrets: [], Configs: null, HealthCheck: {}, OomScoreAdj: 0, Mounts: [],
    });
    assert.deepEqual(go, readServiceSpec(base));
    assert.deepEqual(read({ Networks: null, TaskTemplate: { ...base.TaskTemplate, LogDriver: null, Runtime: 'container', Resources: { MemorySwappiness: -1, Limits: { GenericResources: null } } } }), readServiceSpec(base));
  });

  it('is refused with every problem at once, by path and expected type', () => {
    const { code, details } = refusal(() => readServiceSpec({
      Name: 5, Labels: ['a'], Mode: { Replicated: { Replicas: '3' }, Global: {} }, EndpointSpec: { Ports: [{ TargetPort: 99_999, Protocol: 'quic' }] },
      TaskTemplate: { ContainerSpec: { Mounts: [{ Target: '/data', Type: 'tape' }], Env: 'A=1', Secrets: [{ SecretName: 'x' }] }, RestartPolicy: { Delay: 1_500 } },
    }));
    assert.equal(code, 'ORCH_INVALID');
    assert.deepEqual(details, {
      'Name': 'must be text, not 5',
      'Labels': 'must be an object of texts, not a list',
      'Mode': 'must be one mode, not Replicated and Global',
      'Mode.Replicated.Replicas': 'must be a whole number of at least 0, not the text "3"',
      'EndpointSpec.Ports[0].TargetPort': 'must be a whole number from 0 to 65535, not 99999',
      'EndpointSpec.Ports[0].Protocol': 'must be one of tcp, udp, sctp, not the text "quic"',
      'TaskTemplate.ContainerSpec.Image': 'must be given',
      'TaskTemplate.ContainerSpec.Env': 'must be a list of texts, not the text "A=1"',
      'TaskTemplate.ContainerSpec.Mounts[0].Type': 'must be one of bind, tmpfs, volume, cluster, image, npipe, not the text "tape"',
      'TaskTemplate.ContainerSpec.Secrets': 'orch does not support this field',
      'TaskTemplate.RestartPolicy.Delay': 'must be whole milliseconds (multiples of 1000000 ns), not 1500 ns',
    });
  });

  for (const body of [undefined, null, [], 'text', 7]) {
    it(`is not ${JSON.stringify(body) ?? 'an empty body'}`, () => { assert.equal(refusal(() => readServiceSpec(body)).code, 'ORCH_INVALID'); });
  }

  it('may not have a field that no service has, so that a misspelt wish is not lost', () => {
    assert.deepEqual(refusal(() => ofContainer({ Enviroment: ['A=1'] })).details, { 'TaskTemplate.ContainerSpec.Enviroment': 'is not a field of this object' });
  });

  it('may have names of any case, once', () => {
    assert.deepEqual(ofContainer({ HealthCheck: { Test: ['NONE'] }, env: ['A=1'] }).template.container, { image: 'web:1', healthCheck: { test: ['NONE'] }, env: ['A=1'] });
    assert.deepEqual(refusal(() => ofContainer({ Env: ['A=1'], env: ['A=2'] })).details, { 'TaskTemplate.ContainerSpec.env': 'is given a second time, beside Env' });
  });

  it('may have networks beside the template, where old clients write them', () => {
    assert.deepEqual(read({ Networks: [{ Target: 'front' }] }).template.networks, [{ target: 'front', aliases: [] }]);
  });
});

describe('a service spec that orch cannot honour', () => {
  for (const [path, run] of Object.entries(unsupported)) {
    it(`is refused for ${path}`, () => {
      const { code, details } = refusal(run);
      assert.equal(code, 'ORCH_UNSUPPORTED');
      assert.ok(Object.hasOwn(details, path), JSON.stringify(details));
    });
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { AssignedTask } from '../model/assignment.ts';
import { isOrchError } from '../model/errors.ts';
import type { ContainerSpec } from '../model/service.ts';
import { revision, type TemplateOverrides } from '../model/testing.ts';
import { hostPortsOf, networkModeOf, planContainer, type ContainerContext } from './plan-container.ts';
import { containerIdOf } from './task-names.ts';
import { fakeDescription } from './testing.ts';

const task: AssignedTask = {
  id: 't1', serviceId: 's1', serviceName: 'web', serviceLabels: { tier: 'front' }, revisionId: 'r1', slot: 2, desired: 'running', status: { state: 'assigned', atMs: 0, message: '' },
};
const context: ContainerContext = {
  nodeId: 'n1', description: fakeDescription, resolver: { nameservers: ['192.0.2.53'], search: ['example'], options: ['ndots:1'] },
  attachment: { containerId: containerIdOf('t1'), namespacePath: '/run/orch/netns/c', addresses: ['10.0.0.2/24'], ports: [] },
};
const plan = (container: Partial<ContainerSpec>, overrides: TemplateOverrides = {}): ReturnType<typeof planContainer> =>
  planContainer(task, revision({ template: { container, ...overrides } }), context);

describe('planning a task\'s container', () => {
  it('leaves to the image what the service does not say, and fills in the rest', () => {
    assert.deepEqual(plan({}), {
      id: containerIdOf('t1'), name: 'web.2.t1', image: 'web:1', env: [], hostname: containerIdOf('t1').slice(0, 12), groups: [], tty: false, readOnly: false, stopGraceMs: 10_000,
      mounts: [], hosts: [`10.0.0.2\t${containerIdOf('t1').slice(0, 12)}`], dns: { nameservers: ['192.0.2.53'], search: ['example'], options: ['ndots:1'] }, capabilityAdd: [], capabilityDrop: [], sysctls: {}, ulimits: [],
      oomScoreAdj: 0, noNewPrivileges: false, limits: {}, network: { mode: 'namespace', path: '/run/orch/netns/c' },
      labels: {
        'com.docker.swarm.node.id': 'n1', 'com.docker.swarm.service.id': 's1', 'com.docker.swarm.service.name': 'web',
        'com.docker.swarm.task': '', 'com.docker.swarm.task.id': 't1', 'com.docker.swarm.task.name': 'web.2.t1',
      },
    });
  });

  it('passes on everything the service says', () => {
    const spec = {
      command: ['/entry'], args: ['-v'], dir: '/srv', user: '1000:1000', groups: ['audio'], tty: true, readOnly: true, stopSignal: 'SIGINT', stopGraceMs: 1, hosts: ['192.0.2.1 db'],
      capabilityAdd: ['NET_ADMIN'], capabilityDrop: ['CHOWN'], sysctls: { 'net.core.somaxconn': '9' }, ulimits: [{ name: 'nofile', soft: 1, hard: 2 }], oomScoreAdj: 5, noNewPrivileges: true,
    };
    const { dir, ...rest } = spec;
    const container = plan(spec, { resources: { limits: { memoryBytes: 7, pids: 3 }, reservations: {} } });
    const hosts = [...plan({}).hosts, ...spec.hosts];
    assert.deepEqual({ ...container, ...rest, hosts, workingDir: dir, limits: { memoryBytes: 7, pids: 3 } }, container);
  });

  it('expands templates in env, hostname and mounts', () => {
    const container = plan({ env: ['NODE={{.Node.Hostname}}', 'SLOT={{.Task.Slot}}'], hostname: '{{.Service.Name}}-{{.Task.Slot}}', mounts: [{ type: 'volume', source: 'data-{{.Task.Slot}}', target: '/data/{{.Service.Labels.tier}}', readOnly: false }] });
    assert.deepEqual([container.env, container.hostname, container.mounts[0]?.source, container.mounts[0]?.target], [['NODE=host1', 'SLOT=2'], 'web-2', 'data-2', '/data/front']);
  });

  it('lets a container find its own address by its host name, short and whole', () => {
    assert.deepEqual(plan({ hostname: 'db-{{.Task.Slot}}.example.org', hosts: ['192.0.2.1 other'] }).hosts, ['10.0.0.2\tdb-2.example.org db-2', '192.0.2.1 other']);
    assert.deepEqual(planContainer(task, revision({ template: { networks: [{ target: 'host', aliases: [] }] } }), { ...context, attachment: undefined }).hosts, []);
  });

  it('names the task of a global service after its node', () => {
    const container = planContainer({ ...task, slot: 0 }, revision({ template: { container: { env: ['SLOT={{.Task.Slot}}'] } } }), context);
    assert.deepEqual([container.name, container.env], ['web.n1.t1', ['SLOT=n1']]);
  });

  it('lets no label of the service pass for one of the system', () => {
    assert.equal(plan({ labels: { mine: '1', 'com.docker.swarm.task.id': 'other' } }).labels['com.docker.swarm.task.id'], 't1');
  });

  it('lets the service replace each part of the resolver', () => {
    assert.deepEqual(plan({ dns: { nameservers: ['192.0.2.9'] } }).dns, { nameservers: ['192.0.2.9'], search: ['example'], options: ['ndots:1'] });
  });

  it('shares the node\'s network in host mode', () => {
    const host = revision({ template: { networks: [{ target: 'host', aliases: [] }] } });
    assert.deepEqual(planContainer(task, host, { ...context, attachment: undefined }).network, { mode: 'host' });
  });
});

describe('networks and ports of a revision', () => {
  const on = (...targets: string[]): ReturnType<typeof networkModeOf> => networkModeOf(revision({ template: { networks: targets.map((target) => ({ target, aliases: [] })) } }));

  it('are the bridge when nothing is said', () => assert.deepEqual([on(), on('bridge'), on('none'), on('host')], ['bridge', 'bridge', 'none', 'host']));

  it('are refused when this node can\'t join them', () => {
    for (const targets of [['backend'], ['bridge', 'none']]) assert.throws(() => on(...targets), (error) => isOrchError(error, 'ORCH_UNSUPPORTED'));
  });

  it('bind only ports in host mode', () => {
    const ports = (['host', 'ingress'] as const).map((mode) => ({ protocol: 'tcp' as const, targetPort: 80, publishedPort: 8080, mode }));
    assert.deepEqual(hostPortsOf(revision({ ports })).map(({ mode }) => mode), ['host']);
  });
});

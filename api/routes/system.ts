import { MAX_API_VERSION, MIN_API_VERSION, formatApiVersion } from '../api-version.ts';
import { dockerClusterInfo } from '../convert/cluster.ts';
import { machineName } from '../convert/platform.ts';
import { logDrivers } from '../convert/task-template.ts';
import { formatTime } from '../convert/time.ts';
import { withoutUndefined } from '../convert/without-undefined.ts';
import type { ControlPlane, Membership, SwarmState } from '../control-plane.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';

export const systemRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/_ping', answer: ping },
  { method: 'HEAD', path: '/_ping', answer: ping },
  { method: 'GET', path: '/version', answer: version },
  { method: 'GET', path: '/info', answer: info },
  { method: 'GET', path: '/orch/v1/status', answer: status },
];

async function ping(context: ApiContext, call: Call): Promise<void> {
  call.reply.headers({
    'docker-experimental': 'false', swarm: swarmHeader(context.membership.state()),
    'cache-control': 'no-cache, no-store, must-revalidate', pragma: 'no-cache',
  });
  await call.reply.type('text/plain; charset=utf-8').send('OK');
}

const swarmHeader = ({ localState, role }: SwarmState): string => localState === 'active' ? `active/${role ?? 'worker'}` : localState;

async function version(context: ApiContext): Promise<unknown> {
  const { platform } = context.engine.description();
  const api = { ApiVersion: formatApiVersion(MAX_API_VERSION), MinAPIVersion: formatApiVersion(MIN_API_VERSION) };
  const { kernelVersion } = context.engine.features();
  return {
    Platform: { Name: 'orch' },
    Components: [
      { Name: 'Engine', Version: context.version, Details: { ...api, Os: platform.os, Arch: platform.arch, KernelVersion: kernelVersion } },
      { Name: 'node', Version: process.versions.node },
      ...context.engine.features().runtimes.map((runtime) => ({ Name: runtime.name, Version: runtime.version })),
    ],
    Version: context.version, ...api, Os: platform.os, Arch: platform.arch, KernelVersion: kernelVersion,
  };
}

async function status({ membership, version: orchVersion }: ApiContext): Promise<unknown> {
  const { nodeId, role, localState, error } = membership.state();
  return withoutUndefined({ nodeId, role, state: localState, error: error || undefined, version: orchVersion });
}

async function info(context: ApiContext): Promise<unknown> {
  const { engine, membership } = context;
  const containers = engine.containers.list();
  const running = containers.filter(({ state }) => state === 'running').length;
  const state = membership.state();
  return {
    ID: state.nodeId,
    Containers: containers.length, ContainersRunning: running, ContainersPaused: 0, ContainersStopped: containers.length - running,
    Images: engine.images.list().length,
    Driver: 'overlay2', DriverStatus: [], DockerRootDir: engine.dataDir,
    LoggingDriver: logDrivers[0],
    Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'none'], Authorization: [], Log: [...logDrivers] },
    SystemTime: formatTime(context.clock.now()),
    ...nodeInfo(context), ...featureInfo(context),
    Swarm: swarmInfo(state, membership),
  };
}

function nodeInfo({ engine, version: orchVersion }: ApiContext): object {
  const { hostname, platform, resources, engineLabels } = engine.description();
  return {
    Name: hostname, ServerVersion: orchVersion, OSType: platform.os, Architecture: machineName(platform.arch),
    NCPU: Math.floor(resources.nanoCpus / 1e9), MemTotal: resources.memoryBytes,
    Labels: Object.entries(engineLabels).map(([name, value]) => `${name}=${value}`),
  };
}

function featureInfo({ engine }: ApiContext): object {
  const features = engine.features();
  return {
    KernelVersion: features.kernelVersion, OperatingSystem: features.operatingSystem, OSVersion: features.osVersion,
    CgroupVersion: features.cgroupVersion, CgroupDriver: features.cgroupDriver,
    Runtimes: Object.fromEntries(features.runtimes.map(({ name, path }) => [name, { path }])), DefaultRuntime: features.defaultRuntime,
    SecurityOptions: [...(features.appArmor ? ['name=apparmor'] : []), ...(features.seccomp ? ['name=seccomp,profile=default'] : [])],
    MemoryLimit: true, PidsLimit: true, CpuCfsPeriod: true, CpuCfsQuota: true, CPUShares: true,
    LiveRestoreEnabled: true, ExperimentalBuild: false, Isolation: '', Warnings: features.warnings,
  };
}

function swarmInfo(state: SwarmState, membership: Membership): object {
  const control = membership.control();
  return {
    NodeID: state.nodeId, NodeAddr: state.nodeAddress, LocalNodeState: state.localState, ControlAvailable: control !== undefined, Error: state.error,
    RemoteManagers: state.managers.length === 0 ? null : state.managers.map(({ nodeId, address }) => ({ NodeID: nodeId, Addr: address })),
    ...(control ? clusterTotals(control) : {}),
  };
}

function clusterTotals(control: ControlPlane): object {
  const nodes = control.nodes();
  return { Nodes: nodes.length, Managers: nodes.filter(({ role }) => role === 'manager').length, Cluster: dockerClusterInfo(control.cluster()) };
}

import type { Cluster } from '../model/cluster.ts';
import { defaultClusterSpec } from '../model/cluster.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import type { Container, ContainerCreate, ContainerEvent } from '../model/container.ts';
import { OrchError } from '../model/errors.ts';
import type { Image } from '../model/image.ts';
import { formatImageReference } from '../model/image-reference.ts';
import type { ImageReference } from '../model/image-reference.ts';
import type { PullOptions, PullProgress } from '../model/image-pull.ts';
import type { LogQuery, LogRecord } from '../model/log-record.ts';
import type { Node } from '../model/node.ts';
import { nodeName } from '../model/node.ts';
import type { Revision, Service, ServiceSpec } from '../model/service.ts';
import type { Task } from '../model/task.ts';
import type { ControlEvent, ControlPlane, Membership, SwarmState, TaskLogRecord } from './control-plane.ts';
import type { NodeEngine } from './node-engine.ts';
import { openApi } from './open-api.ts';
import type { Api } from './open-api.ts';

/** What the API runs on in its tests: everything in memory, every call noted. */

/** A queue that an async iteration reads until `end` or its signal. */
class FakeFeed<T> {
  readonly #items: T[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;
  /** Iterations that have begun and not yet ended. */
  readers = 0;

  push(...items: T[]): void { this.#items.push(...items); this.#wake(); }
  end(): void { this.#ended = true; this.#wake(); }

  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    this.readers += 1;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    try {
      for (let next = 0; !signal.aborted;) {
        const item = this.#items[next];
        if (item !== undefined) {
          next += 1;
          yield item;
        } else if (this.#ended) return;
        else await new Promise<void>((resolve) => { this.#waiting.add(resolve); });
      }
    } finally {
      this.readers -= 1;
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

const notFound = (kind: string, reference: string): OrchError => new OrchError('ORCH_NOT_FOUND', `There is no ${kind} "${reference}"`);

class FakeControlPlane implements ControlPlane {
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  readonly eventFeed = new FakeFeed<ControlEvent>();
  readonly logFeed = new FakeFeed<TaskLogRecord>();
  nodeList: Node[] = [];
  serviceList: Service[] = [];
  revisionList: Revision[] = [];
  taskList: Task[] = [];
  unavailable: { readonly task: Task; readonly reason: string }[] = [];
  lastLogQuery: LogQuery | undefined;
  current: Cluster = {
    id: 'cluster1', version: 3, createdAtMs: 1_700_000_000_000, updatedAtMs: 1_700_000_000_500,
    spec: defaultClusterSpec, ca: { certificatePem: 'PEM', sealedKey: 'sealed' }, joinTokens: { worker: 'ORCHTKN-1-a-w', manager: 'ORCHTKN-1-a-m' },
  };

  cluster(): Cluster { return this.current; }
  async updateCluster(...args: Parameters<ControlPlane['updateCluster']>): Promise<void> { this.#note('updateCluster', args); }
  nodes(): readonly Node[] { return this.nodeList; }
  node(reference: string): Node {
    const found = this.nodeList.find((node) => node.id === reference || nodeName(node) === reference);
    if (!found) throw notFound('node', reference);
    return found;
  }
  managerStatus(nodeId: string): ReturnType<ControlPlane['managerStatus']> {
    return this.nodeList.find(({ id }) => id === nodeId)?.role === 'manager' ? { leader: true, reachability: 'reachable', address: '192.0.2.1:2377' } : undefined;
  }
  async updateNode(...args: Parameters<ControlPlane['updateNode']>): Promise<void> { this.#note('updateNode', args); }
  async removeNode(...args: Parameters<ControlPlane['removeNode']>): Promise<void> { this.#note('removeNode', args); }
  services(): readonly Service[] { return this.serviceList; }
  service(reference: string): Service {
    const found = this.serviceList.find(({ id, spec }) => id === reference || spec.name === reference);
    if (!found) throw notFound('service', reference);
    return found;
  }
  async createService(spec: ServiceSpec): Promise<{ id: string; warnings: readonly string[] }> {
    this.#note('createService', [spec]);
    if (this.serviceList.some((service) => service.spec.name === spec.name)) throw new OrchError('ORCH_NAME_TAKEN', `Service "${spec.name}" already exists`, { hint: 'Use `orch service update`' });
    const id = `service${this.serviceList.length + 1}`;
    this.serviceList.push({ id, version: 1, createdAtMs: 1_700_000_000_000, updatedAtMs: 1_700_000_000_000, spec, revisionId: `revision-of-${id}` });
    return { id, warnings: [] };
  }
  async updateService(...args: Parameters<ControlPlane['updateService']>): Promise<{ warnings: readonly string[] }> {
    this.#note('updateService', args);
    return { warnings: [] };
  }
  async removeService(id: string): Promise<void> { this.#note('removeService', [id]); }
  revision(id: string): Revision | undefined { return this.revisionList.find((revision) => revision.id === id); }
  serviceCounts(): { running: number; desired: number; completed: number } { return { running: 2, desired: 3, completed: 0 }; }
  tasks(): readonly Task[] { return this.taskList; }
  task(reference: string): Task {
    const found = this.taskList.find(({ id }) => id === reference);
    if (!found) throw notFound('task', reference);
    return found;
  }
  events(signal: AbortSignal): AsyncIterable<ControlEvent> { return this.eventFeed.read(signal); }
  taskLogs(taskIds: readonly string[], query: LogQuery, options: Parameters<ControlPlane['taskLogs']>[2]): AsyncIterable<TaskLogRecord> {
    this.#note('taskLogs', [taskIds, query, options.serviceId]);
    for (const { task, reason } of this.unavailable) options.onUnavailable(task, reason);
    return this.logFeed.read(options.signal);
  }

  #note(name: string, args: readonly unknown[]): void { this.calls.push({ name, args }); }
}

class FakeMembership implements Membership {
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  controlPlane: FakeControlPlane | undefined = new FakeControlPlane();
  current: SwarmState = { localState: 'active', error: '', nodeId: 'node1', nodeAddress: '192.0.2.1', role: 'manager', managers: [{ nodeId: 'node1', address: '192.0.2.1:2377' }] };

  state(): SwarmState { return this.current; }
  control(): ControlPlane | undefined { return this.controlPlane; }
  async init(...args: Parameters<Membership['init']>): Promise<string> { this.calls.push({ name: 'init', args }); return 'node1'; }
  async join(...args: Parameters<Membership['join']>): Promise<void> { this.calls.push({ name: 'join', args }); }
  async leave(...args: Parameters<Membership['leave']>): Promise<void> { this.calls.push({ name: 'leave', args }); }
}

class FakeEngine implements NodeEngine {
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  readonly dataDir = '/var/lib/orch';
  readonly logFeed = new FakeFeed<LogRecord>();
  imageList: Image[] = [];
  containerList: Container[] = [];
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  /** What `load` and `importRoot` were given. */
  received = Buffer.alloc(0);
  lastLogQuery: LogQuery | undefined;
  /** What a pull does before it ends. */
  onPull: (options: PullOptions) => Promise<void> = async () => {};

  readonly images: NodeEngine['images'] = {
    pull: async (reference: ImageReference, options: PullOptions = {}) => {
      this.calls.push({ name: 'pull', args: [formatImageReference(reference), options.auth, options.platform] });
      await this.onPull(options);
      return this.#firstImage();
    },
    load: async (archive: AsyncIterable<Uint8Array>, onProgress?: (progress: PullProgress) => void) => {
      onProgress?.({ layer: 'layer1', status: 'Loading layer', currentBytes: 1, totalBytes: 2 });
      await this.#receive(archive);
      return this.imageList;
    },
    importRoot: async (archive: AsyncIterable<Uint8Array>, { tag, changes, message }) => {
      await this.#receive(archive);
      this.calls.push({ name: 'importRoot', args: [tag && formatImageReference(tag), changes, message] });
      return this.#firstImage();
    },
    list: () => this.imageList,
    find: (nameOrId: string) => this.imageList.find(({ id, tags }) => id === nameOrId || tags.includes(nameOrId) || tags.includes(`${nameOrId}:latest`)),
    tag: async (nameOrId: string, reference: ImageReference) => { this.calls.push({ name: 'tag', args: [nameOrId, formatImageReference(reference)] }); },
    remove: async (nameOrId: string, options: { force: boolean }) => {
      this.calls.push({ name: 'remove', args: [nameOrId, options] });
      return { untagged: [nameOrId], deleted: ['sha256:1'] };
    },
  };

  attachmentList: ReturnType<NodeEngine['attachments']> = [];
  attachments(): ReturnType<NodeEngine['attachments']> { return this.attachmentList; }

  readonly containers: NodeEngine['containers'] = {
    list: () => this.containerList,
    find: (nameOrId: string) => this.containerList.find(({ id, name }) => id === nameOrId || name === nameOrId),
    logs: (_id: string, query: LogQuery, signal: AbortSignal) => {
      this.lastLogQuery = query;
      return this.logFeed.read(signal);
    },
    subscribe: (listener) => {
      this.#listeners.add(listener);
      return { [Symbol.dispose]: () => { this.#listeners.delete(listener); } };
    },
  };

  emit(event: ContainerEvent): void { for (const listener of this.#listeners) listener(event); }

  description(): ReturnType<NodeEngine['description']> {
    return { hostname: 'host1', platform: { os: 'linux', arch: 'amd64' }, resources: { nanoCpus: 2_000_000_000, memoryBytes: 8 * 1024 ** 3 }, engineVersion: '0.1.0', engineLabels: { disk: 'ssd' } };
  }
  features(): ReturnType<NodeEngine['features']> {
    return {
      kernelVersion: '6.12.0', operatingSystem: 'Debian GNU/Linux 13', osVersion: '13', architecture: 'x86_64', cgroupVersion: '2', cgroupDriver: 'cgroupfs',
      runtimes: [{ name: 'crun', path: '/usr/bin/crun', version: '1.21' }], defaultRuntime: 'crun', seccomp: true, appArmor: false, warnings: ['No swap limit'],
    };
  }

  #firstImage(): Image {
    const [image] = this.imageList;
    if (!image) throw new OrchError('ORCH_REGISTRY', 'The registry has no such image');
    return image;
  }

  async #receive(archive: AsyncIterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of archive) chunks.push(chunk);
    this.received = Buffer.concat(chunks);
  }
}

export type ApiUnderTest = AsyncDisposable & { readonly api: Api; readonly membership: FakeMembership; readonly control: FakeControlPlane; readonly engine: FakeEngine; readonly clock: FakeClock };

/** The whole API of a manager over fakes; its clock stands at 2023-11-14T22:13:20Z. */
export async function testApi(): Promise<ApiUnderTest> {
  const membership = new FakeMembership();
  const engine = new FakeEngine();
  const clock = new FakeClock(1_700_000_000_000);
  const api = await openApi({ membership, engine, clock, log: silentLog, random: seededRandom(1), version: '0.1.0' });
  const control = membership.controlPlane ?? new FakeControlPlane();
  return { api, membership, control, engine, clock, async [Symbol.asyncDispose]() { await api[Symbol.asyncDispose](); } };
}

/** An image `web:1` of one layer. */
export function image(overrides: Partial<Image> = {}): Image {
  return {
    id: 'sha256:1111', tags: ['web:1'], repoDigests: ['web@sha256:d'], platform: { os: 'linux', arch: 'amd64' }, createdAtMs: 1_600_000_000_000, sizeBytes: 1234,
    config: { user: '', env: ['A=image', 'B=image'], entrypoint: ['/entry'], cmd: ['serve'], workingDir: '/', labels: { from: 'image' }, stopSignal: '', exposedPorts: ['80/tcp'], volumes: [], healthCheck: { test: ['CMD', 'true'], intervalNs: 5e9 } },
    diffIds: ['sha256:layer'], history: [{ createdAtMs: 1_600_000_000_000, createdBy: 'ADD root', comment: '', emptyLayer: false }, { createdAtMs: 1_600_000_000_000, createdBy: 'CMD', comment: 'last', emptyLayer: true }],
    ...overrides,
  };
}

export type ContainerOverrides = Partial<Omit<Container, 'create'>> & { readonly create?: Partial<ContainerCreate> };

/** A created container of `web:1`. */
export function container(overrides: ContainerOverrides = {}): Container {
  const { id = 'c'.repeat(64), name = 'web.1' } = overrides;
  return {
    id, name, imageId: 'sha256:1111', state: 'created', createdAtMs: 1_699_999_000_000, startedAtMs: 0, exitedAtMs: 0, pid: 0, oomKilled: false,
    ...overrides,
    create: {
      id, name, image: 'web:1', env: ['A=own'], labels: {}, hostname: 'web', groups: [], tty: false, readOnly: false, stopGraceMs: 10_000,
      mounts: [{ type: 'bind', source: '/srv', target: '/data', readOnly: true }], hosts: [], dns: { nameservers: [], search: [], options: [] },
      capabilityAdd: [], capabilityDrop: [], sysctls: {}, ulimits: [], oomScoreAdj: 0, noNewPrivileges: false, limits: { nanoCpus: 500_000_000 }, network: { mode: 'namespace', path: '/run/netns/x' },
      ...overrides.create,
    },
  };
}

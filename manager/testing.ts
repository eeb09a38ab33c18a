import { FakeClock } from '../base/fake-clock.ts';
import { newId } from '../base/ids.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { defaultClusterSpec, type ClusterSpec } from '../model/cluster.ts';
import type { NodeId, ServiceId, TaskId } from '../model/meta.ts';
import type { Node, NodeAvailability, NodeSpec } from '../model/node.ts';
import type { Service, ServiceSpec } from '../model/service.ts';
import type { Task } from '../model/task.ts';
import { serviceSpec, type ServiceSpecOverrides } from '../model/testing.ts';
import type { NodePlane } from '../proto/session-messages.ts';
import type { Store } from '../store/store.ts';
import { openMemoryStore } from '../store/testing.ts';
import type { Control } from './control/control.ts';
import { FakeAgent, type Behaviour } from './fake-agent.ts';
import { openManager, type Manager } from './open-manager.ts';

export type TestClusterOptions = {
  /** Worker nodes n1, n2, …; all connected. Default 1. */
  readonly nodes?: number;
  readonly spec?: Partial<ClusterSpec>;
  /** What containers do, by image. */
  readonly behaviours?: Readonly<Record<string, Behaviour>>;
  readonly seed?: number;
  /** What the manager works on instead of the store itself, so that a test sees who writes what. */
  readonly wrapStore?: (store: Store) => Store;
  /** Labels of nodes, by name. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

export type TestCluster = AsyncDisposable & {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly control: Control;
  readonly nodePlane: NodePlane;
  /** By node name. */
  agent(name: string): FakeAgent;
  node(name: string): Node;
  /** Adds a worker and connects it. */
  join(name: string): Promise<void>;
  /** Changes parts of a node's spec. */
  updateNode(name: string, spec: Partial<NodeSpec>): Promise<void>;
  /** Wishes a role straight into the store: what control operations refuse while clusters have one manager. */
  setRole(name: string, role: NodeSpec['role']): Promise<void>;
  /** Creates a service and lets everything that follows at once happen. */
  createService(spec?: ServiceSpecOverrides): Promise<ServiceId>;
  updateService(name: string, change: (spec: ServiceSpec) => ServiceSpec): Promise<void>;
  removeService(name: string): Promise<void>;
  service(name: string): Service;
  /** The service's tasks by slot, then by age. */
  tasks(name: string): readonly Task[];
  /** Wanted tasks as `1 running n1`, sorted. */
  wanted(name: string): readonly string[];
  /** Makes the running task of a slot (for global services: of a node) exit. */
  exit(name: string, slot: number | string, exitCode: number): Promise<void>;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Moves time forward. */
  advance(durationMs: number): Promise<void>;
  /** Another manager takes over: all sessions end, and its agents connect again. */
  changeLeader(): Promise<void>;
};

/** A whole cluster in this process: memory store, clock that stands still, real manager, simulated agents. */
export async function testCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = new InProcessCluster(options, await openStoreWithCluster(options));
  await cluster.open();
  for (let index = 1; index <= (options.nodes ?? 1); index += 1) await cluster.join(`n${index}`);
  await cluster.settle();
  return cluster;
}

const CLUSTER_ID = 'testcluster';

async function openStoreWithCluster({ spec }: TestClusterOptions): Promise<{ clock: FakeClock; store: Store }> {
  const clock = new FakeClock(1_000_000);
  const store = await openMemoryStore(clock);
  await store.update((tx) => tx.cluster.create({
    id: CLUSTER_ID, spec: { ...defaultClusterSpec, ...spec }, ca: { certificatePem: '', sealedKey: '' }, joinTokens: { worker: 'worker-token', manager: 'manager-token' },
  }));
  return { clock, store };
}

class InProcessCluster implements TestCluster {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly #options: TestClusterOptions;
  readonly #agents = new Map<string, FakeAgent>();
  readonly #random;
  #manager: Manager | undefined;

  constructor(options: TestClusterOptions, { clock, store }: { clock: FakeClock; store: Store }) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    this.clock = clock;
    this.store = store;
  }

  get control(): Control { return this.#open.control; }

  get nodePlane(): NodePlane { return this.#open.nodePlane; }

  get #open(): Manager {
    if (!this.#manager) throw new Error('the test cluster has no manager');
    return this.#manager;
  }

  async open(): Promise<void> {
    this.#manager = await openManager({
      store: this.#options.wrapStore?.(this.store) ?? this.store, clock: this.clock, random: this.#random, log: silentLog, nodeId: 'manager',
      renewCertificate: () => Promise.resolve({ certificatePem: 'renewed', caPem: 'ca' }),
    });
  }

  agent(name: string): FakeAgent {
    const agent = this.#agents.get(name);
    if (!agent) throw new Error(`no agent ${name}`);
    return agent;
  }

  node(name: string): Node { return this.control.node(name); }

  async join(name: string): Promise<void> {
    const nodeId: NodeId = newId(this.#random);
    const spec: NodeSpec = { name, labels: this.#options.labels?.[name] ?? {}, role: 'worker', availability: 'active' satisfies NodeAvailability };
    await this.store.update((tx) => tx.node.create({ id: nodeId, spec, role: 'worker', status: { state: 'unknown', message: '', address: '', atMs: this.clock.now() } }));
    const agent = new FakeAgent({
      nodeId, clusterId: CLUSTER_ID, clock: this.clock, behaviours: new Map(Object.entries(this.#options.behaviours ?? {})), plane: () => this.#open.nodePlane,
      description: { hostname: name, platform: { os: 'linux', arch: 'amd64' }, resources: { nanoCpus: 4e9, memoryBytes: 8 * 1024 ** 3 }, engineVersion: '0.1.0', engineLabels: {} },
    });
    this.#agents.set(name, agent);
    agent.connect();
    await this.settle();
  }

  async updateNode(name: string, spec: Partial<NodeSpec>): Promise<void> {
    const node = this.node(name);
    await this.control.updateNode(node.id, node.version, { ...node.spec, ...spec });
    await this.settle();
  }

  async setRole(name: string, role: NodeSpec['role']): Promise<void> {
    const { id } = this.node(name);
    await this.store.update((tx) => {
      const node = tx.node.get(id);
      if (node) tx.node.update({ ...node, spec: { ...node.spec, role } });
    });
    await this.settle();
  }

  async createService(spec: ServiceSpecOverrides = {}): Promise<ServiceId> {
    const { id } = await this.control.createService(serviceSpec(spec));
    await this.settle();
    return id;
  }

  async updateService(name: string, change: (spec: ServiceSpec) => ServiceSpec): Promise<void> {
    const { id, version, spec } = this.service(name);
    await this.control.updateService(id, version, change(spec), { rollback: false });
    await this.settle();
  }

  async removeService(name: string): Promise<void> {
    await this.control.removeService(this.service(name).id);
    await this.settle();
  }

  service(name: string): Service { return this.control.service(name); }

  tasks(name: string): readonly Task[] {
    const { id } = this.service(name);
    return this.control.tasks().filter((task) => task.serviceId === id)
      .toSorted((a, b) => a.slot - b.slot || this.#nameOf(a).localeCompare(this.#nameOf(b)) || a.createdAtMs - b.createdAtMs);
  }

  wanted(name: string): readonly string[] {
    return this.tasks(name).filter((task) => task.desired === 'running' || task.desired === 'ready')
      .map((task) => `${task.slot} ${task.status.state} ${this.#nameOf(task)}`.trim());
  }

  async exit(name: string, slot: number | string, exitCode: number): Promise<void> {
    const task = this.tasks(name).find((each) => each.status.state === 'running' && each.desired === 'running' && (each.slot === slot || this.#nameOf(each) === slot));
    if (!task) throw new Error(`no running task in ${name}.${slot}`);
    this.#agentOf(task.id).exit(task.id, exitCode);
    await this.settle();
  }

  /** Two quiet turns of the event loop in a row: nothing is on its way any more. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      const before = this.store.revision.revision;
      await new Promise<void>((resolve) => { setImmediate(resolve); });
      quiet = this.store.revision.revision === before ? quiet + 1 : 0;
    }
  }

  async advance(durationMs: number): Promise<void> {
    await this.settle();
    await this.clock.advance(durationMs);
    await this.settle();
  }

  async changeLeader(): Promise<void> {
    await this.#open[Symbol.asyncDispose]();
    await this.open();
    for (const agent of this.#agents.values()) if (!agent.connected) agent.start();
    await this.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents.values()) agent.kill();
    await this.#manager?.[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }

  #nameOf(task: Task): string { return task.nodeId === undefined ? '' : this.control.nodes().find((node) => node.id === task.nodeId)?.spec.name ?? task.nodeId; }

  #agentOf(taskId: TaskId): FakeAgent {
    const agent = [...this.#agents.values()].find((each) => each.tasks.has(taskId));
    if (!agent) throw new Error(`no agent has task ${taskId}`);
    return agent;
  }
}

import type { Clock } from '../base/clock.ts';
import type { Container, ContainerCreate, ContainerEvent } from '../model/container.ts';
import { OrchError } from '../model/errors.ts';
import { formatImageReference, parseImageReference, type ImageReference } from '../model/image-reference.ts';
import type { Image } from '../model/image.ts';
import type { PullOptions } from '../model/image-pull.ts';
import type { LogQuery, LogRecord } from '../model/log-record.ts';
import type { ContainerId } from '../model/meta.ts';
import type { NodeDescription } from '../model/node.ts';
import type { PublishedPort } from '../model/service.ts';
import type { Attachment, AttachRequest, NodeNetwork } from '../network/node-network.ts';
import type { ContainerEngine } from '../runtime/engine.ts';
import type { ImageStore } from '../runtime/image-store.ts';

/** Stand-ins for a node's engine, images and network: in memory, immediate, with the errors of the real ones. They outlive the agents that use them. */

export const fakeDescription: NodeDescription = {
  hostname: 'host1', platform: { os: 'linux', arch: 'amd64' }, resources: { nanoCpus: 4e9, memoryBytes: 8 * 1024 ** 3 }, engineVersion: '0.1.0', engineLabels: {},
};

/** What `FakeEngine` is told to do wrong; undefined goes well. */
export type EngineFaults = {
  create?: (request: ContainerCreate) => Error | undefined;
  start?: (container: Container) => Error | undefined;
  /** The container's process ignores its stop signal: `stop` waits for `exit` or the end of the grace time. */
  ignoresStop?: (container: Container) => boolean;
};

export class FakeEngine implements ContainerEngine {
  /** Ids in the order of their making; one that is made twice is here twice. */
  readonly created: ContainerId[] = [];
  faults: EngineFaults = {};
  readonly #clock: Clock;
  readonly #containers = new Map<ContainerId, Container>();
  readonly #lines = new Map<ContainerId, LogRecord[]>();
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  #nextPid = 1000;

  constructor(clock: Clock) { this.#clock = clock; }

  async create(request: ContainerCreate): Promise<Container> {
    await Promise.resolve();
    const fault = this.faults.create?.(request);
    if (fault) throw fault;
    if ([...this.#containers.values()].some((container) => container.id === request.id || container.name === request.name)) {
      throw new OrchError('ORCH_NAME_TAKEN', `Container name "${request.name}" is taken`);
    }
    this.created.push(request.id);
    return this.#put('create', { id: request.id, name: request.name, create: request, imageId: `sha256:${request.image}`, state: 'created', createdAtMs: this.#clock.now(), startedAtMs: 0, exitedAtMs: 0, pid: 0, oomKilled: false });
  }

  async start(id: ContainerId): Promise<Container> {
    await Promise.resolve();
    const container = this.#get(id);
    const fault = this.faults.start?.(container);
    if (fault) throw fault;
    if (container.state !== 'created') throw new OrchError('ORCH_CONFLICT', `Container ${container.name} is ${container.state}`);
    return this.#put('start', { ...container, state: 'running', startedAtMs: this.#clock.now(), pid: this.#nextPid++ });
  }

  async stop(id: ContainerId, graceMs?: number): Promise<Container> {
    await Promise.resolve();
    const container = this.#get(id);
    if (container.state !== 'running') return container;
    if (!this.faults.ignoresStop?.(container)) return this.exit(id, 143);
    const exited = new AbortController();
    const waited = await Promise.race([this.#clock.sleep(graceMs ?? container.create.stopGraceMs, exited.signal).catch(() => {}), this.wait(id, exited.signal)]);
    exited.abort();
    return waited ?? this.exit(id, 137);
  }

  async kill(id: ContainerId): Promise<void> {
    await Promise.resolve();
    if (this.#get(id).state === 'running') this.exit(id, 137);
  }

  async wait(id: ContainerId, signal: AbortSignal): Promise<Container> {
    const { promise, resolve, reject } = Promise.withResolvers<Container>();
    using _ = this.subscribe(({ container }) => { if (container.id === id && container.state === 'exited') resolve(container); });
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const container = this.#get(id);
    try {
      return container.state === 'exited' ? container : await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async remove(id: ContainerId, { force }: { force: boolean }): Promise<void> {
    await Promise.resolve();
    const container = this.#containers.get(id);
    if (!container) return;
    if (container.state === 'running' && !force) throw new OrchError('ORCH_IN_USE', `Container ${container.name} is running`);
    this.#containers.delete(id);
    this.#lines.delete(id);
    this.#tell('destroy', container);
  }

  list(): readonly Container[] { return [...this.#containers.values()]; }

  find(nameOrId: string): Container | undefined {
    return this.#containers.get(nameOrId) ?? this.list().find((container) => container.name === nameOrId || container.id.startsWith(nameOrId));
  }

  async *logs(id: ContainerId, { follow, tail }: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord> {
    let sent = Number.isFinite(tail) ? Math.max(0, (this.#lines.get(id)?.length ?? 0) - tail) : 0;
    while (!signal.aborted) {
      for (const record of this.#lines.get(id)?.slice(sent) ?? []) {
        sent += 1;
        yield record;
      }
      if (!follow || this.#containers.get(id)?.state === 'exited') return;
      await new Promise(setImmediate);
    }
  }

  subscribe(listener: (event: ContainerEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => { this.#listeners.delete(listener); } };
  }

  async [Symbol.asyncDispose](): Promise<void> { await Promise.resolve(); }

  /** The container's process ends by itself. */
  exit(nameOrId: string, exitCode: number, { oomKilled = false }: { oomKilled?: boolean } = {}): Container {
    return this.#put('die', { ...this.#get(nameOrId), state: 'exited', exitCode, oomKilled, pid: 0, exitedAtMs: this.#clock.now() });
  }

  /** The container's process writes a line. */
  say(nameOrId: string, text: string): void {
    const { id } = this.#get(nameOrId);
    this.#lines.set(id, [...this.#lines.get(id) ?? [], { stream: 'stdout', time: `1970-01-01T00:00:00.${String(this.#clock.now()).padStart(9, '0')}Z`, line: Buffer.from(text), partial: false }]);
  }

  #get(nameOrId: string): Container {
    const container = this.find(nameOrId);
    if (!container) throw new OrchError('ORCH_NOT_FOUND', `No such container: ${nameOrId}`);
    return container;
  }

  #put(action: ContainerEvent['action'], container: Container): Container {
    this.#containers.set(container.id, container);
    this.#tell(action, container);
    return container;
  }

  #tell(action: ContainerEvent['action'], container: Container): void {
    for (const listener of this.#listeners) listener({ action, container, atMs: this.#clock.now() });
  }
}

export class FakeNetwork implements NodeNetwork {
  subnet = '';
  /** Made to fail by a test. */
  attachFault: ((request: AttachRequest) => Error | undefined) | undefined;
  readonly #attachments = new Map<ContainerId, Attachment>();
  #nextHost = 2;

  async configure(subnet: string): Promise<void> {
    await Promise.resolve();
    this.subnet = subnet;
  }

  async attach(request: AttachRequest): Promise<Attachment> {
    await Promise.resolve();
    const { containerId, mode } = request;
    const known = this.#attachments.get(containerId);
    if (known) return known;
    const fault = this.attachFault?.(request);
    if (fault) throw fault;
    if (mode === 'bridge' && this.subnet === '') throw new OrchError('ORCH_CONFLICT', 'This node has no subnet for its containers yet');
    const attachment: Attachment = {
      containerId, namespacePath: `/run/orch/netns/${containerId}`,
      addresses: mode === 'bridge' ? [`${this.subnet.replace(/\d+\/\d+$/, '')}${this.#nextHost++}/24`] : [],
      ports: request.ports.map((port) => this.#takePort(port)),
    };
    this.#attachments.set(containerId, attachment);
    return attachment;
  }

  async detach(containerId: ContainerId): Promise<void> {
    await Promise.resolve();
    this.#attachments.delete(containerId);
  }

  attachments(): readonly Attachment[] { return [...this.#attachments.values()]; }

  async [Symbol.asyncDispose](): Promise<void> { await Promise.resolve(); }

  #takePort(port: PublishedPort): PublishedPort {
    const publishedPort = port.publishedPort || 30_000 + this.#attachments.size;
    const taken = this.attachments().some((attachment) => attachment.ports.some((other) => other.publishedPort === publishedPort && other.protocol === port.protocol));
    if (taken) throw new OrchError('ORCH_IN_USE', `Port ${publishedPort}/${port.protocol} of this node is already in use`);
    return { ...port, publishedPort };
  }
}

/** Images by the familiar name that services use. Every image can be pulled unless a test says otherwise. */
export class FakeImages implements ImageStore {
  /** Names of the images of which a pull was begun. */
  readonly pulled: string[] = [];
  /** Names that no registry has. */
  readonly missing = new Set<string>();
  /** Names whose pull never ends but by abort. */
  readonly stuck = new Set<string>();
  readonly #present = new Map<string, Image>();

  constructor(present: readonly string[] = []) { for (const name of present) this.add(name); }

  add(name: string): Image {
    const image: Image = {
      id: `sha256:${name}`, tags: [name], repoDigests: [], platform: { os: 'linux', arch: 'amd64' }, createdAtMs: 0, sizeBytes: 1, diffIds: [], history: [],
      config: { user: '', env: [], entrypoint: [], cmd: ['sh'], workingDir: '', labels: {}, stopSignal: '', exposedPorts: [], volumes: [] },
    };
    this.#present.set(canonical(name), image);
    return image;
  }

  async pull(reference: ImageReference, { signal }: PullOptions = {}): Promise<Image> {
    const name = formatImageReference(reference);
    this.pulled.push(name);
    await Promise.resolve();
    if (this.stuck.has(name)) {
      await new Promise<never>((_, reject) => { signal?.addEventListener('abort', () => reject(signal.reason), { once: true }); });
    }
    if (this.missing.has(name)) throw new OrchError('ORCH_NOT_FOUND', `Registry has no ${name}`);
    return this.add(name);
  }

  find(nameOrId: string): Image | undefined { return this.#present.get(canonical(nameOrId)); }
  list(): readonly Image[] { return [...this.#present.values()]; }
  load(): Promise<Image[]> { return unsupported(); }
  loadLayout(): Promise<Image[]> { return unsupported(); }
  importRoot(): Promise<Image> { return unsupported(); }
  tag(): Promise<void> { return unsupported(); }
  remove(): Promise<{ untagged: string[]; deleted: string[] }> { return unsupported(); }
  acquireLayers(): Promise<{ readonly lowerDirs: readonly string[] }> { return unsupported(); }
  async releaseLayers(): Promise<void> { await Promise.resolve(); }
  async [Symbol.asyncDispose](): Promise<void> { await Promise.resolve(); }
}

const canonical = (name: string): string => name.startsWith('sha256:') ? name : formatImageReference(parseImageReference(name));

const unsupported = (): Promise<never> => Promise.reject(new Error('the stand-in for images can\'t do this'));

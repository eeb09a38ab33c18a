import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { OrchError } from '../../model/errors.ts';
import { openContainerEngine, type ContainerEngineOptions } from '../../runtime/containers/open-container-engine.ts';
import type { ContainerCreate, ContainerEngine, LogQuery } from '../../runtime/engine.ts';
import type { Image, ImageStore } from '../../runtime/image-store.ts';
import { findShimBinary } from '../../runtime/shim-binary.ts';
import { ShimClient } from '../../runtime/shim-client.ts';
import { makeBusyboxRoot } from './busybox-root.ts';
import { containerRequest, emptyImageConfig } from './container-request.ts';

/** A directory of its own with a shim, and engines on it that can be closed and opened again; all gone after disposal. */
export class ContainerLab implements AsyncDisposable {
  readonly directory: string;
  readonly images: TestImages;
  readonly shim: ShimClient;
  engine: ContainerEngine;

  private constructor(directory: string, { images, shim }: { images: TestImages; shim: ShimClient }) {
    this.directory = directory;
    this.images = images;
    this.shim = shim;
    this.engine = unopened;
  }

  /** On a new directory, or on the one of another lab as a second daemon of that node. */
  static async open(options: Partial<ContainerEngineOptions> = {}, directory = mkdtempSync(join(tmpdir(), 'orch-lab-'))): Promise<ContainerLab> {
    const shim = await ShimClient.open({ binary: await findShimBinary(), socket: join(directory, 'shim.sock'), clock: systemClock });
    const lab = new ContainerLab(directory, { images: new TestImages(directory), shim });
    await lab.reopen(options);
    return lab;
  }

  get nodeId(): string { return `test-${basename(this.directory)}`; }

  /** As a restarted daemon would: a new engine on the same directories. */
  async reopen(options: Partial<ContainerEngineOptions> = {}): Promise<void> {
    this.engine = await openContainerEngine({
      dataDir: join(this.directory, 'data'), runDir: join(this.directory, 'run'), nodeId: this.nodeId,
      images: this.images, shim: this.shim, clock: systemClock, log: silentLog, ...options,
    });
  }

  /** Creates a container of the busybox image. */
  async create(command: readonly string[], changes: Partial<ContainerCreate> = {}): Promise<string> {
    const request = containerRequest(command, changes);
    await this.engine.create(request);
    return request.id;
  }

  /** Runs a container to its end and returns how it ended with its output. */
  async run(command: readonly string[], changes: Partial<ContainerCreate> = {}): Promise<{ exitCode: number | undefined; stdout: string; stderr: string; oomKilled: boolean }> {
    const id = await this.create(command, changes);
    await this.engine.start(id);
    const { exitCode, oomKilled } = await this.engine.wait(id, AbortSignal.timeout(20_000));
    const [stdout, stderr] = [await this.output(id, { stderr: false }), await this.output(id, { stdout: false })];
    await this.engine.remove(id, { force: false });
    return { exitCode, oomKilled, stdout, stderr };
  }

  async output(id: string, changes: Partial<LogQuery> = {}): Promise<string> {
    let text = '';
    const query: LogQuery = { stdout: true, stderr: true, follow: false, sinceMs: 0, untilMs: 0, tail: Infinity, ...changes };
    for await (const record of this.engine.logs(id, query, AbortSignal.timeout(20_000))) text += Buffer.from(record.line).toString() + (record.partial ? '' : '\n');
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id } of this.engine.list()) await this.engine.remove(id, { force: true });
    await this.engine[Symbol.asyncDispose]();
    await this.shim[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

const unopened = {} as ContainerEngine;

/** Knows one image, `busybox`, of two layers. */
class TestImages implements ImageStore {
  readonly #layers: readonly string[];
  readonly #image: Image = {
    id: `sha256:${'b'.repeat(64)}`, tags: ['busybox:latest'], repoDigests: [], platform: { os: 'linux', arch: 'amd64' }, createdAtMs: 0, sizeBytes: 0,
    config: { ...emptyImageConfig, env: ['FROM_IMAGE=yes'], cmd: ['sh'] }, diffIds: [], history: [],
  };
  readonly users = new Set<string>();

  constructor(directory: string) {
    this.#layers = [join(directory, 'layers/top'), join(directory, 'layers/base')];
    const [top = '', base = ''] = this.#layers;
    if (existsSync(top)) return;
    makeBusyboxRoot(base);
    mkdirSync(join(top, 'etc'), { recursive: true });
    writeFileSync(join(top, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:101:102:Web:/srv:/bin/sh\n');
    writeFileSync(join(top, 'etc/group'), 'root:x:0:\nweb:x:102:\nlogs:x:103:web\n');
  }

  find(nameOrId: string): Image | undefined { return nameOrId === 'busybox' || nameOrId === this.#image.id ? this.#image : undefined; }
  list(): readonly Image[] { return [this.#image]; }
  async acquireLayers(_imageId: string, user: string): Promise<{ lowerDirs: readonly string[] }> {
    this.users.add(user);
    return { lowerDirs: this.#layers };
  }
  async releaseLayers(user: string): Promise<void> { this.users.delete(user); }
  async pull(): Promise<Image> { return notHere(); }
  async load(): Promise<Image[]> { return notHere(); }
  async loadLayout(): Promise<Image[]> { return notHere(); }
  async importRoot(): Promise<Image> { return notHere(); }
  async tag(): Promise<void> { notHere(); }
  async remove(): Promise<{ untagged: string[]; deleted: string[] }> { return notHere(); }
  async [Symbol.asyncDispose](): Promise<void> { /* nothing is open */ }
}

function notHere(): never { throw new OrchError('ORCH_UNSUPPORTED', 'The test image store only has busybox'); }

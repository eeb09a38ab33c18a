import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { openContainerEngine, type ContainerEngineOptions } from '../../runtime/containers/open-container-engine.ts';
import type { ContainerCreate, ContainerEngine, LogQuery } from '../../runtime/engine.ts';
import type { ImageStore } from '../../runtime/image-store.ts';
import { openImageStore } from '../../runtime/images/open-image-store.ts';
import { inPieces } from '../../runtime/images/testing.ts';
import { findShimBinary } from '../../runtime/shim-binary.ts';
import { ShimClient } from '../../runtime/shim-client.ts';
import { busyboxArchive } from './busybox-root.ts';
import { containerRequest } from './container-request.ts';

type Parts = { readonly images: ImageStore; readonly shim: ShimClient; readonly engine: ContainerEngine };

/** A node's engine without network, on a directory of its own, that can be closed and opened again; all gone after disposal. */
export class ContainerLab implements AsyncDisposable {
  readonly directory: string;
  readonly #options: Partial<ContainerEngineOptions>;
  #parts: Parts;

  private constructor(directory: string, { options, parts }: { options: Partial<ContainerEngineOptions>; parts: Parts }) {
    this.directory = directory;
    this.#options = options;
    this.#parts = parts;
  }

  /** On a new directory with the image `busybox`, or on the one of another lab as a second daemon of that node. */
  static async open(options: Partial<ContainerEngineOptions> = {}, directory = mkdtempSync(join(tmpdir(), 'orch-lab-'))): Promise<ContainerLab> {
    return new ContainerLab(directory, { options, parts: await openParts(directory, options) });
  }

  get engine(): ContainerEngine { return this.#parts.engine; }
  get images(): ImageStore { return this.#parts.images; }
  get shim(): ShimClient { return this.#parts.shim; }
  get nodeId(): string { return nodeIdOf(this.directory); }

  /** As a daemon that stops in good order. */
  async close(): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await this.images[Symbol.asyncDispose]();
    await this.shim[Symbol.asyncDispose]();
  }

  /** As the next daemon, after `close`. */
  async reopen(): Promise<void> { this.#parts = await openParts(this.directory, this.#options); }

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
    await this.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

const nodeIdOf = (directory: string): string => `test-${basename(directory)}`;

async function openParts(directory: string, options: Partial<ContainerEngineOptions>): Promise<Parts> {
  const [clock, log] = [systemClock, silentLog];
  const [dataDir, runDir] = [join(directory, 'data'), join(directory, 'run')];
  mkdirSync(runDir, { recursive: true });
  const shim = await ShimClient.open({ binary: await findShimBinary(process.env['ORCH_TEST_SHIM']), socket: join(runDir, 'shim.sock'), clock });
  const images = await openImageStore({ dataDir: join(directory, 'images'), platform: { os: 'linux', arch: 'amd64' }, clock, random: systemRandom, log });
  if (!images.find('busybox')) await images.load(inPieces(await busyboxArchive(), 1 << 16));
  const engine = await openContainerEngine({ dataDir, runDir, nodeId: nodeIdOf(directory), images, shim, clock, log, ...options });
  return { shim, images, engine };
}

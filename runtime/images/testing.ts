import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import type { Header } from 'tar-stream';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { ImageStore } from '../image-store.ts';
import { openImageStore } from './open-image-store.ts';
import type { ImageStoreOptions } from './open-image-store.ts';

/** Builders for tests: tiny tar archives, image archives, a store in a directory of its own. */

export type TestEntry = Partial<Header> & Pick<Header, 'name'> & { readonly content?: string | Buffer };

// oxlint-disable-next-line no-restricted-globals -- a fixed moment
const packedAt = new Date(1_700_000_000_000);

/** A tar archive of these entries, owned by whoever runs the test unless they say otherwise. */
export async function tar(entries: readonly TestEntry[]): Promise<Buffer> {
  const packer = pack();
  for (const { content, ...header } of entries) {
    const owned = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mtime: packedAt, ...header };
    if (header.type === undefined || header.type === 'file') packer.entry(owned, content ?? '');
    else packer.entry(owned);
  }
  packer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packer) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export const sha256 = (bytes: Uint8Array | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export type TestImage = { readonly tags?: readonly string[]; readonly layers: readonly Buffer[]; readonly config?: object; readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string } };

/** The text of an image configuration over uncompressed layers. */
export const imageConfig = ({ layers, config = {}, platform = { os: 'linux', architecture: 'amd64' } }: TestImage): string => JSON.stringify({
  created: '2024-01-02T03:04:05Z', ...platform, config,
  rootfs: { type: 'layers', diff_ids: layers.map(sha256) },
  history: layers.map((_, index) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${index}` })),
});

/** An archive as `docker save` made it for many years: manifest.json and one directory for each layer. */
export async function dockerArchive(images: readonly TestImage[]): Promise<Buffer> {
  const entries: TestEntry[] = [];
  const manifest = images.map((image) => {
    const config = imageConfig(image);
    const name = `${sha256(config).slice('sha256:'.length)}.json`;
    entries.push({ name, content: config });
    return { Config: name, RepoTags: image.tags ?? null, Layers: image.layers.map((layer) => {
      const directory = createHash('sha1').update(layer).digest('hex');
      entries.push({ name: `${directory}/VERSION`, content: '1.0' }, { name: `${directory}/layer.tar`, content: layer });
      return `${directory}/layer.tar`;
    }) };
  });
  return await tar([...entries, { name: 'manifest.json', content: JSON.stringify(manifest) }]);
}

/** `bytes` in pieces of `size`, as they would come from a socket. */
export async function* inPieces(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) {
    await Promise.resolve();
    yield bytes.subarray(offset, offset + size);
  }
}

export type TestStore = AsyncDisposable & { readonly store: ImageStore; readonly dataDir: string; reopen(): Promise<ImageStore> };

/** An image store in a new temporary directory, which goes with it. */
export async function testStore(options: Partial<ImageStoreOptions> = {}): Promise<TestStore> {
  const dataDir = options.dataDir ?? await mkdtemp(join(tmpdir(), 'orch-images-'));
  const open = (): Promise<ImageStore> => openImageStore({ platform: { os: 'linux', arch: 'amd64' }, clock: systemClock, random: systemRandom, log: silentLog, waitForDisk: false, ...options, dataDir });
  let store = await open();
  return {
    dataDir,
    get store() { return store; },
    async reopen() {
      await store[Symbol.asyncDispose](); // harmless a second time
      store = await open();
      return store;
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

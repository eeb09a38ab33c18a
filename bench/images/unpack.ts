/**
 * How long a layer takes to unpack, against `gzip -d | tar -x` on the same disk, both without waiting for the disk. Prints JSON, times in ms, medians over the rounds.
 *   node bench/images/unpack.ts [DIRECTORY]     (root; DIRECTORY is on the disk to measure, the system's temporary directory by default)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';
import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { UnpackPool } from '../../runtime/images/unpack-pool.ts';

const ROUNDS = 5;
/** Shaped like a language runtime's image: many small files, few large ones, content that packs to about a third. */
const FILES = 14_000;
const DIRECTORIES = 1_200;
const MEDIAN_FILE_BYTES = 3_000;
const LARGE_FILE_BYTES = 20_000_000;
const LARGE_FILES = 8;

const directory = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'orch-bench-unpack-'));
const archive = join(directory, 'layer.tar.gz');

/** Words from a small vocabulary between random bytes: neither as regular as text nor as random as noise. */
function content(bytes: number, random: ReturnType<typeof seededRandom>): Buffer {
  const block = Buffer.alloc(Math.min(bytes, 64 * 1024));
  for (let offset = 0; offset < block.length;) {
    const noise = Buffer.from(random.bytes(24));
    offset += noise.copy(block, offset);
    offset += block.write('function return const import length prototype exports ', offset, 'latin1');
  }
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / block.length) || 0 }, () => block)).subarray(0, bytes);
}

const entry = (packer: Pack, header: Parameters<Pack['entry']>[0], bytes?: Buffer): Promise<void> => new Promise((resolve, reject) => {
  const done = (error?: Error | null): void => { if (error) reject(error); else resolve(); };
  if (bytes === undefined) packer.entry(header, done);
  else packer.entry(header, bytes, done);
});

async function fill(packer: Pack): Promise<void> {
  const random = seededRandom(1);
  const owner = { mtime: new Date(1_700_000_000_000), uid: 0, gid: 0 };
  for (let index = 0; index < DIRECTORIES; index += 1) await entry(packer, { ...owner, name: `usr/lib/d${index % 40}/p${index}/`, type: 'directory', mode: 0o755 });
  for (let index = 0; index < FILES; index += 1) {
    const bytes = Math.round(MEDIAN_FILE_BYTES * Math.exp(2.2 * (random.next() + random.next() + random.next() - 1.5)));
    const place = Math.floor(index * DIRECTORIES / FILES);
    await entry(packer, { ...owner, name: `usr/lib/d${place % 40}/p${place}/f${index}.js`, mode: 0o644 }, content(bytes, random));
  }
  for (let index = 0; index < LARGE_FILES; index += 1) await entry(packer, { ...owner, name: `usr/bin/tool${index}`, mode: 0o755 }, content(LARGE_FILE_BYTES, random));
  packer.finalize();
}

async function timed(work: (target: string) => Promise<void> | void): Promise<number> {
  const target = join(directory, 'target');
  await mkdir(target);
  const start = performance.now();
  await work(target);
  const elapsedMs = performance.now() - start;
  await rm(target, { recursive: true });
  return elapsedMs;
}

const median = (values: readonly number[]): number => Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);

try {
  const packer = pack();
  await Promise.all([fill(packer), pipeline(packer, createGzip({ level: 6 }), createWriteStream(archive))]);
  const tarBytes = Number(execFileSync('sh', ['-c', `gzip -dc ${archive} | wc -c`]).toString());
  const diffId = `sha256:${execFileSync('sh', ['-c', `gzip -dc ${archive} | sha256sum`]).toString().slice(0, 64)}`;
  await using pool = new UnpackPool({ clock: systemClock });
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    theirs.push(await timed((target) => {
      const result = spawnSync('sh', ['-c', `gzip -dc ${archive} | tar -x -p --numeric-owner --xattrs --xattrs-include='*' -C ${target}`], { stdio: 'inherit' });
      if (result.status !== 0) throw new Error('tar failed');
    }));
    ours.push(await timed(async (target) => { await pool.unpack({ archivePath: archive, directory: target, diffId }); }));
  }
  const orchMs = median(ours);
  const tarMs = median(theirs);
  console.log(JSON.stringify({
    benchmark: 'images/unpack', gzipBytes: (await stat(archive)).size, tarBytes, entries: FILES + DIRECTORIES + LARGE_FILES, rounds: ROUNDS,
    orchMs, tarMs, ratio: Math.round(orchMs / tarMs * 100) / 100, orchAllMs: ours.map(Math.round), tarAllMs: theirs.map(Math.round), cpus: cpus().length, load: loadavg()[0],
  }, undefined, 2));
} finally {
  await rm(directory, { recursive: true, force: true });
}

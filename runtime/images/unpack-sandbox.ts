import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackLayer } from './unpack-layer.ts';
import type { UnpackResult } from './unpack-protocol.ts';

/** For tests: a directory to unpack into with something beside it that must not be touched. */
export class UnpackSandbox implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'orch-unpack-'));
  readonly layer = join(this.root, 'layer');
  readonly #outside = join(this.root, 'outside');
  readonly #archive = join(this.root, 'archive');
  readonly #before: string;

  constructor() {
    mkdirSync(this.layer);
    mkdirSync(join(this.#outside, 'directory'), { recursive: true });
    writeFileSync(join(this.#outside, 'secret'), 'secret');
    writeFileSync(join(this.#outside, 'directory', 'x'), 'x');
    writeFileSync(this.#archive, '');
    this.#before = this.#look();
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  async unpack(archive: Buffer, diffId?: string): Promise<UnpackResult> {
    writeFileSync(this.#archive, archive);
    return await unpackLayer({ archivePath: this.#archive, directory: this.layer, ...(diffId && { diffId }) }, { signal: new AbortController().signal, onProgress: () => { /* not looked at */ } });
  }

  assertUntouched(): void {
    assert.equal(this.#look(), this.#before);
  }

  #look(): string {
    return ['', 'secret', 'directory', 'directory/x'].map((name) => {
      const { mode, uid, gid, mtimeMs, nlink, size } = statSync(join(this.#outside, name));
      return JSON.stringify([name, mode, uid, gid, mtimeMs, nlink, size]);
    }).join('\n') + readdirSync(this.#outside, { recursive: true }).join(',') + readFileSync(join(this.#outside, 'secret'), 'utf8') + readdirSync(this.root).join(',');
  }
}

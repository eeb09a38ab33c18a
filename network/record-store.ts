import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../base/files.ts';
import { containerOf, type AttachmentRecord } from './attachment-record.ts';

const BRIDGE_FILE = 'bridge';

/**
 * Records of attachments, one small file each, in the run directory. They describe kernel objects that end with a reboot,
 * so they are not flushed to disk: a file that is lost with the machine's power describes nothing any more.
 */
export class RecordStore {
  readonly #directory: string;

  constructor(directory: string) { this.#directory = directory; }

  /** All records and the bridge's subnet (undefined before the first `saveSubnet`). */
  async load(): Promise<{ records: Map<string, AttachmentRecord>; subnet: string | undefined }> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const records = new Map<string, AttachmentRecord>();
    let subnet: string | undefined;
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (name.endsWith('.tmp')) await rm(path, { force: true });
      else if (name === BRIDGE_FILE) subnet = (await readFile(path, 'utf8')).trim();
      else records.set(name, parseRecord(await readFile(path, 'utf8')));
    }
    return { records, subnet };
  }

  async save(record: AttachmentRecord): Promise<void> { await this.#write(containerOf(record), JSON.stringify(record)); }

  async saveSubnet(subnet: string): Promise<void> { await this.#write(BRIDGE_FILE, `${subnet}\n`); }

  async remove(containerId: string): Promise<void> { await rm(join(this.#directory, containerId), { force: true }); }

  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#directory, name);
    try {
      await writeFile(`${path}.tmp`, text, { mode: 0o600 });
      await rename(`${path}.tmp`, path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(path, text, { mode: 0o600 });
    }
  }
}

function parseRecord(text: string): AttachmentRecord {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `save` above and by nothing else
  return JSON.parse(text) as AttachmentRecord;
}

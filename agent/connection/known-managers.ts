import { readTextIfExists, writeFileAtomic } from '../../base/files.ts';
import type { Random } from '../../base/random.ts';
import { formatHostPort, parseHostPort } from '../../proto/address.ts';
import { managerPort } from '../../proto/names.ts';

/** Managers that a node may dial, HOST:PORT: those it was given and those it learned, kept in a file. */
export class KnownManagers {
  readonly #path: string;
  readonly #given: readonly string[];
  #learned: readonly string[];
  /** The one that worked last, tried first. */
  #preferred: string | undefined;
  #written: Promise<void> = Promise.resolve();

  private constructor(path: string, given: readonly string[], learned: readonly string[]) {
    this.#path = path;
    this.#given = given;
    this.#learned = learned;
  }

  /** Reads what was learned before from the file at `path`, a JSON list. Throws ORCH_INVALID for a given address that is none. */
  static async open(path: string, given: readonly string[]): Promise<KnownManagers> {
    const text = await readTextIfExists(path);
    return new KnownManagers(path, given.map(withPort), text === undefined ? [] : parseList(text));
  }

  /** Every address once; the given ones too, in case all learned ones have moved. */
  list(): string[] {
    return [...new Set([...this.#learned, ...this.#given])];
  }

  /** The order in which to try them: the one that worked last, then the others by chance. */
  dialOrder(random: Random): string[] {
    const weighed = this.list().map((address) => ({ address, weight: address === this.#preferred ? -1 : random.next() }));
    return weighed.toSorted((a, b) => a.weight - b.weight).map(({ address }) => address);
  }

  prefer(address: string): void {
    this.#preferred = address;
  }

  /** Replaces what was learned by what a manager says now; an empty list changes nothing. */
  async learn(addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0 || sameSet(addresses, this.#learned)) return;
    this.#learned = [...addresses];
    // One write after the other: they share a temporary file.
    this.#written = this.#written.catch(() => { /* told to whoever asked for it */ }).then(() => writeFileAtomic(this.#path, `${JSON.stringify(addresses)}\n`));
    await this.#written;
  }
}

const withPort = (address: string): string => formatHostPort(parseHostPort(address, managerPort));

/** What a file of another form holds is not needed: the given addresses lead to a manager that tells the others again. */
function parseList(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
  } catch {
    return [];
  }
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((entry) => b.includes(entry));

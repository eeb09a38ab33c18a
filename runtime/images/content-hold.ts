import type { ContentStore } from './content-store.ts';

/** Digests that one operation needs kept until it is over, recorded or not. */
export class ContentHold implements Disposable {
  readonly #content: ContentStore;
  readonly #digests = new Set<string>();

  constructor(content: ContentStore) { this.#content = content; }

  keep(digest: string): void {
    if (this.#digests.has(digest)) return;
    this.#digests.add(digest);
    this.#content.hold(digest);
  }

  [Symbol.dispose](): void {
    for (const digest of this.#digests) this.#content.unhold(digest);
    this.#digests.clear();
  }
}

import { errorMessage, isOrchError, OrchError } from '../model/errors.ts';
import { parseImageReference } from '../model/image-reference.ts';
import type { ImageStore } from '../runtime/image-store.ts';

type Pull = { readonly done: Promise<void>; readonly abort: AbortController; users: number };

/** Fetches images for tasks: tasks of the same image share one pull, which ends early once none of them wants it any more. */
export class ImagePuller {
  readonly #images: ImageStore;
  readonly #pulls = new Map<string, Pull>();

  constructor(images: ImageStore) { this.#images = images; }

  /** False also for text that names no image: the pull then says what is wrong with it. */
  isPresent(image: string): boolean {
    try {
      return this.#images.find(image) !== undefined;
    } catch (error) {
      if (isOrchError(error, 'ORCH_INVALID')) return false;
      throw error;
    }
  }

  /** Rejects with the signal's reason when aborted; throws ORCH_NOT_FOUND when no registry has the image, or what kept it from being fetched. */
  async pull(image: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const pull = this.#pulls.get(image) ?? this.#begin(image);
    pull.users += 1;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([pull.done, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      pull.users -= 1;
      if (pull.users === 0) this.#end(image, pull);
    }
  }

  #begin(image: string): Pull {
    const abort = new AbortController();
    const pull: Pull = { abort, users: 0, done: this.#fetch(image, abort.signal) };
    pull.done.catch(() => { /* every user hears of it; when none is left nobody needs to */ });
    this.#pulls.set(image, pull);
    return pull;
  }

  #end(image: string, pull: Pull): void {
    if (this.#pulls.get(image) === pull) this.#pulls.delete(image);
    pull.abort.abort(new Error(`nobody wants ${image} any more`));
  }

  async #fetch(image: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#images.pull(parseImageReference(image), { signal });
    } catch (cause) {
      signal.throwIfAborted();
      const reason = isOrchError(cause, 'ORCH_NOT_FOUND') ? '' : ` (${errorMessage(cause)})`;
      throw new OrchError(isOrchError(cause) ? cause.code : 'ORCH_REGISTRY', `No such image: ${image}${reason}`, { cause });
    }
  }
}

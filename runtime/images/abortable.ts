/** `source` until `signal` is aborted, which makes the reader throw the signal's reason at once, even while the source keeps it waiting. */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let give: (reason: unknown) => void = () => { /* nobody waits */ };
  const abort = (): void => give(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const waiting = Promise.withResolvers<IteratorResult<T>>();
      give = waiting.reject;
      iterator.next().then(waiting.resolve, waiting.reject);
      const next = await waiting.promise;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    iterator.return?.().catch(() => { /* a source that fails while it is left concerns nobody */ });
  }
}

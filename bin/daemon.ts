import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openApi } from '../api/open-api.ts';
import { systemClock } from '../base/clock.ts';
import { createLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { ORCH_VERSION } from '../base/version.ts';
import { OrchError, errorCodes } from '../model/errors.ts';
import { NodeMembership } from './membership.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { parseDaemonOptions } from './daemon-options.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { collectWhenQuiet, ownProcess } from './idle-collector.ts';
import { openEngine, type Surroundings } from './open-engine.ts';

/** Runs the node's daemon until SIGTERM or SIGINT; sets the exit code. Containers go on when it ends. */
export async function runDaemon(words: readonly string[]): Promise<void> {
  try {
    const options = parseDaemonOptions(words);
    if (typeof options === 'string') console.log(options);
    else await serve(options);
  } catch (error) {
    if (!(error instanceof OrchError)) throw error;
    console.error(`orch: ${error.message}`);
    if (error.hint !== undefined) console.error(`  hint: ${error.hint}`);
    process.exitCode = errorCodes[error.code].exit;
  }
}

async function serve(options: DaemonOptions): Promise<void> {
  const log = createLog(options.logLevel);
  const surroundings: Surroundings = { clock: systemClock, random: systemRandom, log };
  const stop = stopSignal();
  await using scope = new AsyncDisposableStack();
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  scope.use(await lockDataDir(options.dataDir));
  const engine = await openEngine(options, surroundings, scope);
  const membership = scope.use(new NodeMembership({ dataDir: options.dataDir, engine, surroundings, onFatal: (error) => stop.fail(error) }));
  await membership.resume();
  const api = scope.use(await openApi({ membership, engine: engine.api, clock: systemClock, log, version: ORCH_VERSION }));
  await api.listenUnix(join(options.runDir, 'orch.sock'));
  log.info({ dataDir: options.dataDir, runDir: options.runDir, version: ORCH_VERSION }, 'The daemon is ready');
  const ending = new AbortController();
  scope.defer(() => ending.abort());
  collectWhenQuiet(ownProcess, systemClock, ending.signal).catch((error: unknown) => stop.fail(error instanceof Error ? error : new Error(String(error))));
  const reason = await stop.promise;
  log.info({ reason }, 'The daemon ends; containers go on');
}

/** Resolves with the signal that asks the daemon to end; rejects when a part of it can't go on. */
function stopSignal(): { promise: Promise<string>; fail(error: Error): void } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  promise.catch(() => { /* awaited once the daemon serves */ });
  return { promise, fail: reject };
}

import { setTimeout as sleepMs } from 'node:timers/promises';
import type { Context } from 'mocha';

/** Kinds of handles that a finished test file must have given back. */
const watched = new Set(['Timeout', 'TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'ProcessWrap', 'MessagePort', 'FSEventWrap', 'UDPWrap']);
/** The runner's own timer for the hook that is running. */
const RUNNER_TIMERS = 1;
const SETTLE_ATTEMPTS = 40;
const SETTLE_STEP_MS = 25;

function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) if (watched.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

let baseline: Map<string, number> | undefined;
let currentFile: string | undefined;

function extraHandles(): string[] {
  return [...countHandles()].flatMap(([name, count]) => {
    const allowed = (baseline?.get(name) ?? 0) + (name === 'Timeout' ? RUNNER_TIMERS : 0);
    return count > allowed ? [`${count - allowed} ${name}`] : [];
  });
}

/** Throws when `file` left timers, sockets, servers or processes behind; closing takes a few turns of the loop, so it looks several times. */
async function assertNothingLeft(file: string): Promise<void> {
  let left = extraHandles();
  for (let attempt = 0; left.length > 0 && attempt < SETTLE_ATTEMPTS; attempt += 1) {
    await sleepMs(SETTLE_STEP_MS);
    left = extraHandles();
  }
  if (left.length > 0) {
    baseline = countHandles(); // one report per leak
    throw new Error(`${file} leaves behind: ${left.join(', ')}`);
  }
}

/** Mocha root hooks: a test file that leaves handles behind fails the run. */
export const mochaHooks = {
  async beforeEach(this: Context): Promise<void> {
    const file = this.currentTest?.file;
    baseline ??= countHandles();
    if (currentFile !== undefined && file !== currentFile) {
      const finished = currentFile;
      currentFile = file;
      await assertNothingLeft(finished);
    }
    currentFile = file;
  },
  async afterAll(): Promise<void> {
    if (currentFile !== undefined) await assertNothingLeft(currentFile);
  },
};

import { setImmediate as turnOfLoop, setTimeout as sleepMs } from 'node:timers/promises';
import type { Context } from 'mocha';

/** Kinds of handles that a finished test file must have given back. */
const watched = new Set(['Timeout', 'TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'ProcessWrap', 'MessagePort', 'FSEventWrap', 'UDPWrap']);
const SETTLE_ATTEMPTS = 40;
const SETTLE_STEP_MS = 25;

function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) if (watched.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

let baseline: Map<string, number> | undefined;

function extraHandles(): string[] {
  return [...countHandles()].flatMap(([name, count]) => {
    const extra = count - (baseline?.get(name) ?? 0);
    return extra > 0 ? [`${extra} ${name}`] : [];
  });
}

/** Throws when `file` left timers, sockets, servers or processes behind; closing takes a few turns of the loop, so it looks several times. */
async function assertNothingLeft(file: string): Promise<void> {
  await turnOfLoop(); // as in the baseline: from here on mocha's own timer for this hook counts
  let left = extraHandles();
  for (let attempt = 0; left.length > 0 && attempt < SETTLE_ATTEMPTS; attempt += 1) {
    await sleepMs(SETTLE_STEP_MS);
    await turnOfLoop(); // in its own callback a timer still counts
    left = extraHandles();
  }
  if (left.length > 0) {
    baseline = countHandles(); // one report per leak
    throw new Error(`${file} leaves behind: ${left.join(', ')}`);
  }
}

/** Mocha root hooks: a test file that leaves handles behind fails the run. Each file is looked at when its own last hook has run and before the next file's first. */
export const mochaHooks = {
  async beforeAll(this: Context): Promise<void> {
    await turnOfLoop();
    baseline = countHandles();
    for (const suite of this.test?.parent?.suites ?? []) {
      suite.afterAll('leaves no handles behind', () => assertNothingLeft(suite.file ?? suite.title));
    }
  },
};

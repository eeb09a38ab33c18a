import type { Context } from 'mocha';

/** Skips the running test and prints why, so that what a machine cannot test is seen. */
export function skipTest(context: Context, reason: string): never {
  console.log(`      skipped: ${reason}`);
  return context.skip();
}

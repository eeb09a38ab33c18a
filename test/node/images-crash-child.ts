import { createReadStream } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { openImageStore } from '../../runtime/images/open-image-store.ts';

/** Run as a process by images-crash.test.ts, which kills it: loads the archives named after the data directory, one after the other. */
const [dataDir = '', ...archives] = process.argv.slice(2);
const store = await openImageStore({ dataDir, platform: { os: 'linux', arch: 'amd64' }, clock: systemClock, random: systemRandom, log: silentLog });
for (const archive of archives) {
  await store.load(createReadStream(archive));
  console.log(`loaded ${archive}`);
}
await store[Symbol.asyncDispose]();

import { systemClock } from '../../base/clock.ts';
import { openSqliteBackend } from '../../store/sqlite-backend.ts';

/**
 * Run as a process by store-crash.test.ts, which kills it: writes without end and prints a line for every acknowledged commit, `REVISION KEY VALUE` (`-` for a deletion).
 * Every commit writes KEY and its twin. Keys below `gone/` are deleted again, `counter` is overwritten all the time, history is compacted now and then.
 */
const [path = '', round = ''] = process.argv.slice(2);
const LANES = 48;
const COMPACT_EVERY = 1500;

const backend = await openSqliteBackend({ path, clock: systemClock });
let next = 0;

async function write(key: string, value: string | undefined): Promise<void> {
  const result = await backend.commit([{ key, value }, { key: `twin/${key}`, value }], []);
  if (!result.ok) throw new Error('refused without conditions');
  process.stdout.write(`${result.revision} ${key} ${value ?? '-'}\n`);
  if (result.revision % COMPACT_EVERY === 0) await backend.compact(result.revision - 100);
}

async function writeForEver(lane: number): Promise<void> {
  for (let own = 0; ; own += 1) {
    const name = `${round}/${next += 1}`;
    await write(`keep/${name}`, `${name}${'x'.repeat(200)}`);
    if (own % 3 === 0) {
      await write(`gone/${name}`, 'soon');
      await write(`gone/${name}`, undefined);
    }
    if (lane === 0) await write('counter', String(Number(round) * 1e6 + own));
  }
}

await Promise.all(Array.from({ length: LANES }, (_, lane) => writeForEver(lane)));

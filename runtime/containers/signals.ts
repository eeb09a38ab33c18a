import { constants } from 'node:os';
import { OrchError } from '../../model/errors.ts';

const FIRST_REALTIME = 34;
const LAST_SIGNAL = 64;

/** Number of a signal written as name with or without SIG, any case, `RTMIN+1`, `RTMAX-2`, or number. Throws ORCH_INVALID. */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : nameNumber(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined || number < 1 || number > LAST_SIGNAL) throw new OrchError('ORCH_INVALID', `"${text}" is not a signal`, { hint: 'Write a name such as TERM or a number' });
  return number;
}

const named: ReadonlyMap<string, number> = new Map(Object.entries(constants.signals));

function nameNumber(name: string): number | undefined {
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (!realtime) return named.get(`SIG${name}`);
  const base = realtime[1] === 'MIN' ? FIRST_REALTIME : LAST_SIGNAL;
  return base + Number(`${realtime[2] ?? ''}${realtime[3] ?? 0}`);
}

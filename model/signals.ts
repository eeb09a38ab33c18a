/** Linux signals by name, without `SIG`; numbers are those of x86-64 and arm64. */
const signalNumbers = {
  HUP: 1, INT: 2, QUIT: 3, ILL: 4, TRAP: 5, ABRT: 6, IOT: 6, BUS: 7, FPE: 8, KILL: 9, USR1: 10, SEGV: 11, USR2: 12, PIPE: 13, ALRM: 14, TERM: 15, STKFLT: 16, CHLD: 17, CLD: 17,
  CONT: 18, STOP: 19, TSTP: 20, TTIN: 21, TTOU: 22, URG: 23, XCPU: 24, XFSZ: 25, VTALRM: 26, PROF: 27, WINCH: 28, IO: 29, POLL: 29, PWR: 30, SYS: 31,
} as const;

const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** The number of a signal written as Docker takes it: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`, `RTMAX-1`. Undefined when there is no such signal. */
export function parseSignal(text: string): number | undefined {
  if (/^\d+$/.test(text)) return inRange(Number(text), 1);
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(?:MIN(?:\+(\d+))?|MAX(?:-(\d+))?)$/.exec(name);
  if (realTime) return inRange(name.startsWith('RTMIN') ? SIGRTMIN + Number(realTime[1] ?? 0) : SIGRTMAX - Number(realTime[2] ?? 0), SIGRTMIN);
  return isSignalName(name) ? signalNumbers[name] : undefined;
}

const isSignalName = (name: string): name is keyof typeof signalNumbers => Object.hasOwn(signalNumbers, name);
const inRange = (value: number, min: number): number | undefined => value >= min && value <= SIGRTMAX ? value : undefined;

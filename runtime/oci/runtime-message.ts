import { OrchError } from '../../model/errors.ts';

/** The last error in a runtime's log (one JSON object a line), or the last line of plain text. */
export function lastRuntimeMessage(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.map(parseMessage).filter(({ level }) => level !== 'warning' && level !== 'info' && level !== 'debug');
  return errors.at(-1)?.message ?? '';
}

function parseMessage(line: string): { level: string; message: string } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && 'msg' in value) {
      return { level: 'level' in value ? String(value.level) : 'error', message: String(value.msg) };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // plain text is a message too
  }
  return { level: 'error', message: line.trim() };
}

const COMMAND_NOT_FOUND = 127;
const COMMAND_NOT_EXECUTABLE = 126;
const START_FAILED = 128;

/** The error for a container that its runtime could not start; `details.exitCode` follows the shell and Docker: 127 for a missing command, 126 for one that cannot be executed, 128 for all else. */
export function startFailure(name: string, message: string): OrchError {
  const reason = message.replace(/^(?:runc|crun) (?:run|create) failed: /, '').replace(/^unable to start container process: /, '').replace(/^error during container init: /, '');
  return new OrchError('ORCH_RUNTIME', `Container "${name}" cannot start: ${reason || 'its runtime gave no reason'}`, { details: { exitCode: failureCode(reason) } });
}

function failureCode(reason: string): number {
  if (!/\bexec(?:utable)?\b/.test(reason)) return START_FAILED;
  if (/not found|no such file or directory/i.test(reason)) return COMMAND_NOT_FOUND;
  return /permission denied|is a directory|exec format error/i.test(reason) ? COMMAND_NOT_EXECUTABLE : START_FAILED;
}

import type { OutputChunk } from './command.ts';
import { columns } from './help.ts';

/** A line that a streaming command prints. */
export const line = (text: string, to: OutputChunk['to'] = 'stdout'): OutputChunk => ({ to, bytes: `${text}\n` });

/** A table with upper-case headings, as Docker prints. */
export const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string => columns([headings, ...rows]).join('\n');

/** JSON for people and programs: two spaces of indent. */
export const prettyJson = (value: unknown): string => JSON.stringify(value, undefined, 2);

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskState } from '../../model/task.ts';
import { isEnded, stateWriters, taskStates } from '../../model/task.ts';
import { layers } from '../../test/architecture/layers.ts';
import { fieldWriters } from './field-writers.ts';
import { failures } from './failure-table.ts';
import { fence, markdownTable } from './markdown.ts';

const root = join(import.meta.dirname, '../..');

/** The generated sections of ARCHITECTURE.md by name. */
export function architectureSections(): ReadonlyMap<string, string> {
  return new Map([
    ['layers', layerTable()],
    ['task-states', taskDiagram()],
    ['field-writers', fieldWriterTable()],
    ['failures', markdownTable(['what happens', 'who notices', 'after', 'what follows'], failures.map(({ event, notices, after, follows }) => [event, notices, fillTimes(after), fillTimes(follows)]))],
  ]);
}

function layerTable(): string {
  return markdownTable(['folder', 'is', 'may import', 'npm', 'why'], Object.entries(layers).map(([name, { is, may, npm, node, why }]) =>
    [`\`${name}/\``, is, `${may.length > 9 ? 'all' : may.join(', ')}${node ? '' : `${may.length > 0 ? '; ' : ''}not even \`node:\``}` || '–', npm.join(', ') || '–', why]));
}

/** From which states a task reaches each of its ends. */
export const endSources: Readonly<Record<string, (state: TaskState) => boolean>> = {
  complete: (state) => state === 'running',
  failed: (state) => state === 'starting' || state === 'running',
  rejected: (state) => isOnNode(state) && !endSources['failed']?.(state),
  shutdown: (state) => isOnNode(state),
  orphaned: (state) => isOnNode(state),
};

const isOnNode = (state: TaskState): boolean => taskStates.indexOf(state) >= taskStates.indexOf('assigned') && !isEnded(state);

function taskDiagram(): string {
  const path = taskStates.filter((state) => !isEnded(state));
  const lines = ['stateDiagram-v2', '  direction LR', ...path.map((state, index) => `  ${index === 0 ? '[*]' : path[index - 1] ?? ''} --> ${state}: ${stateWriters[state]}`)];
  for (const [end, isSource] of Object.entries(endSources)) {
    const sources = path.filter(isSource);
    const [first, last] = [sources[0], sources.at(-1)];
    const label = sources.length === 1 ? '' : `, from ${first ?? ''} to ${last ?? ''}`;
    lines.push(`  ${last ?? ''} --> ${end}: ${writerOf(end)}${label}`);
  }
  return fence('mermaid', lines.join('\n'));
}

const writerOf = (name: string): string => {
  const state = taskStates.find((candidate) => candidate === name);
  if (state === undefined) throw new Error(`there is no task state ${name}`);
  return stateWriters[state];
};

function fieldWriterTable(): string {
  const show = (field: string): string => field.includes(' ') ? field : `\`${field}\``;
  return markdownTable(['object', 'field', 'only writer'], Object.entries(fieldWriters).flatMap(([kind, fields]) => {
    const byWriter = Map.groupBy(Object.keys(fields), (field) => fields[field] ?? '');
    return [...byWriter].map(([writer, names]) => [kind, names.map(show).join(', '), writer]);
  }));
}

/** Replaces `{path NAME}` by the value in ms of that constant, or of the default of that option, in that file; throws when the file has neither. */
function fillTimes(text: string): string {
  return text.replaceAll(/\{(\S+) (\w+)\}/g, (_all, path: string, name: string) => String(readConstant(path, name)));
}

function readConstant(path: string, name: string): number {
  const found = new RegExp(`(?:const ${name} = |\\.${name} \\?\\? )([\\d_]+(?: \\* [\\d_]+)*);`).exec(readFileSync(join(root, path), 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${path} has no constant ${name}`);
  return found.split(' * ').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1);
}

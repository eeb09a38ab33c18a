import type { FlagSpecs } from './command.ts';
import { columns } from './help.ts';
import { prettyJson, table } from './output.ts';
import { compileTemplate } from './template.ts';

/** Flags of every command that prints a list. */
export const listFlags = {
  format: { type: 'string', value: 'json|table TEMPLATE|TEMPLATE', help: "json (one object a line), or a Go template such as '{{.ID}} {{.Name}}', with `table ` before it for headings" },
  quiet: { type: 'boolean', short: 'q', help: 'print only ids' },
  'no-trunc': { type: 'boolean', help: 'do not shorten ids and errors' },
  filter: { type: 'list', short: 'f', value: 'KEY=VALUE', help: 'show only what matches' },
} as const satisfies FlagSpecs;

/** How one column of a list is called and read. */
export type Column<T> = { readonly heading: string; readonly field: string; read(item: T): string };

export type ListOptions = { readonly format: string | undefined; readonly quiet: boolean; readonly idField: string };

/** Renders items by `--format` and `-q`: a table of `columns` unless asked otherwise. Fields of templates are the columns' `field` names. */
export function renderList<T>(items: readonly T[], all: { shown: readonly Column<T>[]; more?: readonly Column<T>[] }, options: ListOptions): string {
  const fields = [...all.shown, ...(all.more ?? [])];
  const record = (item: T): Record<string, string> => Object.fromEntries(fields.map((column) => [column.field, column.read(item)]));
  if (options.quiet) return items.map((item) => record(item)[options.idField] ?? '').join('\n');
  if (options.format === undefined || options.format === 'table') return table(all.shown.map((column) => column.heading), items.map((item) => all.shown.map((column) => column.read(item))));
  if (options.format === 'json') return items.map((item) => JSON.stringify(record(item))).join('\n');
  if (!options.format.startsWith('table ')) return items.map(compileTo(options.format, record)).join('\n');
  const template = options.format.slice('table '.length);
  const headings = compileTemplate(template)(Object.fromEntries(fields.map((column) => [column.field, column.heading])));
  return columns([headings, ...items.map(compileTo(template, record))].map((row) => row.split('\t'))).join('\n');
}

const compileTo = <T>(template: string, record: (item: T) => Record<string, string>): ((item: T) => string) => {
  const render = compileTemplate(template);
  return (item) => render(record(item));
};

/** Renders `inspect`: JSON of all objects, or the template applied to each. */
export function renderInspect(objects: readonly unknown[], format: string | undefined): string {
  if (format === undefined || format === 'json') return prettyJson(objects);
  const render = compileTemplate(format);
  return objects.map(render).join('\n');
}

export const inspectFlags = {
  format: { type: 'string', short: 'f', value: 'json|TEMPLATE', help: "JSON, or a Go template such as '{{.ID}}'" },
} as const satisfies FlagSpecs;

/** Docker's `filters` query parameter from `--filter KEY=VALUE` flags; empty when there are none. */
export function filtersQuery(filters: readonly string[]): string {
  const grouped: Record<string, Record<string, true>> = {};
  for (const text of filters) {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    grouped[key] = { ...grouped[key], [equals < 0 ? '' : text.slice(equals + 1)]: true };
  }
  return filters.length === 0 ? '' : `filters=${encodeURIComponent(JSON.stringify(grouped))}`;
}

const SHORT_ID = 12;

/** An id as tables show it. */
export const shortId = (id: string, full: boolean): string => full ? id : id.replace(/^sha256:/, '').slice(0, SHORT_ID);

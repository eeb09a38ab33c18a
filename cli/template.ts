import { OrchError } from '../model/errors.ts';

/** One piece of a parsed template. */
type Piece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'value'; readonly words: readonly string[] }
  | { readonly type: 'range' | 'if'; readonly words: readonly string[]; readonly body: readonly Piece[]; readonly otherwise: readonly Piece[] };

const invalid = (template: string, why: string): OrchError =>
  new OrchError('ORCH_USAGE', `The format "${template}" is not valid: ${why}`, { hint: "Use json, or a template of fields such as '{{.Name}}: {{json .Labels}}'" });

/**
 * Compiles the part of Go's text/template that Docker's users write in --format: fields `{{.A.B}}`, `{{json .X}}`, `{{upper .X}}`, `{{lower .X}}`, `{{title .X}}`, `{{len .X}}`,
 * `{{join .X ","}}`, `{{index .X "key"}}`, `{{eq .X "y"}}` and the other `functions`, pipes, `{{range .X}}…{{end}}`, `{{if .X}}…{{else if .Y}}…{{else}}…{{end}}`, `{{-` and `-}}`, `\t` and `\n`.
 * Throws ORCH_USAGE for anything else.
 */
export function compileTemplate(template: string): (value: unknown) => string {
  const { pieces, rest } = parsePieces(template, splitTokens(template));
  if (rest.length > 0) throw invalid(template, 'there is an {{end}} or {{else}} too many');
  return (value) => render(template, pieces, value);
}

/** Texts and actions in turn. An action with a dash takes the white space on that side away. */
function splitTokens(template: string): string[] {
  const tokens = template.replaceAll('\\t', '\t').replaceAll('\\n', '\n').split(/(\{\{(?:"(?:[^"\\]|\\.)*"|[^}"])*\}\})/);
  return tokens.map((token, index) => {
    if (index % 2 === 1) return token;
    if (token.includes('{{')) throw invalid(template, 'a pair of braces is not closed');
    const isTrimmed = { start: tokens[index - 1]?.endsWith('-}}') === true, end: tokens[index + 1]?.startsWith('{{-') === true };
    const started = isTrimmed.start ? token.trimStart() : token;
    return isTrimmed.end ? started.trimEnd() : started;
  });
}

const wordsOf = (action: string): string[] => action.match(/"(?:[^"\\]|\\.)*"|\||[^\s|]+/g) ?? [];

const actionOf = (token: string): string => token.replace(/^\{\{-?\s*|\s*-?\}\}$/g, '');

function parsePieces(template: string, tokens: readonly string[]): { pieces: Piece[]; rest: readonly string[] } {
  const pieces: Piece[] = [];
  let rest = tokens;
  while (rest.length > 0) {
    const [token = '', ...after] = rest;
    if (!token.startsWith('{{')) {
      if (token !== '') pieces.push({ type: 'text', text: token });
      rest = after;
      continue;
    }
    const [verb = '', ...words] = wordsOf(actionOf(token));
    if (verb === 'end' || verb === 'else') return { pieces, rest };
    if (verb === 'range' || verb === 'if') {
      const block = parseBlock(template, after);
      pieces.push({ type: verb, words, body: block.body, otherwise: block.otherwise });
      rest = block.rest;
    } else {
      if (verb === '') throw invalid(template, 'a pair of braces is empty');
      pieces.push({ type: 'value', words: [verb, ...words] });
      rest = after;
    }
  }
  return { pieces, rest };
}

function parseBlock(template: string, tokens: readonly string[]): { body: readonly Piece[]; otherwise: readonly Piece[]; rest: readonly string[] } {
  const body = parsePieces(template, tokens);
  const closing = actionOf(body.rest[0] ?? '');
  if (closing === 'end') return { body: body.pieces, otherwise: [], rest: body.rest.slice(1) };
  if (closing.startsWith('else if ')) {
    const { rest, ...branches } = parseBlock(template, body.rest.slice(1));
    return { body: body.pieces, otherwise: [{ type: 'if', words: wordsOf(closing).slice(2), ...branches }], rest };
  }
  if (closing !== 'else') throw invalid(template, 'an {{end}} is missing');
  const otherwise = parsePieces(template, body.rest.slice(1));
  if (actionOf(otherwise.rest[0] ?? '') !== 'end') throw invalid(template, 'an {{end}} is missing');
  return { body: body.pieces, otherwise: otherwise.pieces, rest: otherwise.rest.slice(1) };
}

function render(template: string, pieces: readonly Piece[], value: unknown): string {
  return pieces.map((piece) => {
    switch (piece.type) {
      case 'text': return piece.text;
      case 'value': return show(evaluate(template, piece.words, value));
      case 'if': return render(template, isTruthy(evaluate(template, piece.words, value)) ? piece.body : piece.otherwise, value);
      case 'range': return renderRange(template, piece, value);
    }
  }).join('');
}

function renderRange(template: string, piece: Extract<Piece, { type: 'range' | 'if' }>, value: unknown): string {
  const items = evaluate(template, piece.words, value);
  const list: unknown[] = Array.isArray(items) ? items : Object.values(isRecord(items) ? items : {});
  if (list.length === 0) return render(template, piece.otherwise, value);
  return list.map((item) => render(template, piece.body, item)).join('');
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTruthy = (value: unknown): boolean => Array.isArray(value) ? value.length > 0 : isRecord(value) ? Object.keys(value).length > 0 : Boolean(value);

const functions: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  json: ([value]) => JSON.stringify(value ?? null),
  upper: ([value]) => show(value).toUpperCase(),
  lower: ([value]) => show(value).toLowerCase(),
  title: ([value]) => show(value).replace(/^./, (first) => first.toUpperCase()),
  len: ([value]) => Array.isArray(value) || typeof value === 'string' ? value.length : Object.keys(isRecord(value) ? value : {}).length,
  join: ([value, separator]) => (Array.isArray(value) ? value : []).map(show).join(show(separator)),
  index: ([value, key]) => Array.isArray(value) ? value[Number(key)] : isRecord(value) ? value[show(key)] : undefined,
  println: (args) => `${args.map(show).join(' ')}\n`,
  print: (args) => args.map(show).join(''),
  split: ([value, separator]) => show(value).split(show(separator)),
  truncate: ([value, length]) => show(value).slice(0, Number(length)),
  eq: ([value, ...others]) => others.some((other) => other === value),
  ne: ([value, other]) => value !== other,
  not: ([value]) => !isTruthy(value),
  and: (args) => args.find((value) => !isTruthy(value)) ?? args.at(-1),
  or: (args) => args.find(isTruthy) ?? args.at(-1),
};

/** The value of `.X`, `function .X`, or a pipe of these, where each gets what came before as its last argument. */
function evaluate(template: string, words: readonly string[], value: unknown): unknown {
  const pipe = words.lastIndexOf('|');
  if (pipe < 0) return call(template, words, { value, piped: [] });
  return call(template, words.slice(pipe + 1), { value, piped: [evaluate(template, words.slice(0, pipe), value)] });
}

function call(template: string, [first = '', ...rest]: readonly string[], { value, piped }: { value: unknown; piped: readonly unknown[] }): unknown {
  const called = Object.hasOwn(functions, first) ? functions[first] : undefined;
  if (called) return called([...rest.map((word) => operand(template, word, value)), ...piped]);
  if (rest.length > 0 || piped.length > 0 || first === '') throw invalid(template, `"${first}" is not a function; there are ${Object.keys(functions).join(' ')}`);
  return operand(template, first, value);
}

function operand(template: string, word: string, value: unknown): unknown {
  if (word.startsWith('"')) return word.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
  if (/^\d+$/.test(word)) return Number(word);
  if (word === '.') return value;
  if (!word.startsWith('.')) throw invalid(template, `"${word}" is not a field; fields begin with a dot`);
  let found: unknown = value;
  for (const field of word.slice(1).split('.')) {
    if (!isRecord(found)) return undefined;
    if (!Object.hasOwn(found, field) && found === value) throw invalid(template, `there is no field .${field}; there are ${Object.keys(found).map((name) => `.${name}`).join(' ')}`);
    found = found[field];
  }
  return found;
}

/** As Go prints it, except that missing values are empty. */
function show(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (isRecord(value)) return `map[${Object.entries(value).map(([key, item]) => `${key}:${show(item)}`).join(' ')}]`;
  return JSON.stringify(value);
}

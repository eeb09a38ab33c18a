import { OrchError } from '../../model/errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a JSON document that must be an object; ORCH_CORRUPT names `what`. */
export function parseObject(text: string, what: string): JsonObject {
  try {
    return asObject(JSON.parse(text), what);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new OrchError('ORCH_CORRUPT', `${what} is not valid JSON`, { cause: error });
  }
}

/** `value` when it is a JSON object; ORCH_CORRUPT names `what`. */
export function asObject(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw new OrchError('ORCH_CORRUPT', `${what} is not a JSON object`);
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object in a field; empty when the field is missing or null. */
export const objectField = (from: JsonObject, field: string, what: string): JsonObject => {
  const value = from[field] ?? {};
  return asObject(value, `${what}: "${field}"`);
};

/** The objects in an array field; none when the field is missing or null. */
export const objectsField = (from: JsonObject, field: string, what: string): JsonObject[] =>
  arrayField(from, field, what).map((item, index) => asObject(item, `${what}: "${field}[${index}]"`));

/** The text in a field; empty when the field is missing or null. */
export function textField(from: JsonObject, field: string, what: string): string {
  const value = from[field] ?? '';
  if (typeof value === 'string') return value;
  throw new OrchError('ORCH_CORRUPT', `${what}: "${field}" is not text`);
}

/** The texts in an array field; none when the field is missing or null. */
export const textsField = (from: JsonObject, field: string, what: string): string[] => arrayField(from, field, what).map((item) => {
  if (typeof item === 'string') return item;
  throw new OrchError('ORCH_CORRUPT', `${what}: "${field}" holds something that is not text`);
});

/** The number in a field; undefined when the field is missing or null. */
export function numberField(from: JsonObject, field: string, what: string): number | undefined {
  const value = from[field] ?? undefined;
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw new OrchError('ORCH_CORRUPT', `${what}: "${field}" is not a number`);
}

/** The texts of an object whose values are all text. */
export const textMapField = (from: JsonObject, field: string, what: string): Record<string, string> => {
  const map = objectField(from, field, what);
  return Object.fromEntries(Object.keys(map).map((key) => [key, textField(map, key, `${what}: "${field}"`)]));
};

function arrayField(from: JsonObject, field: string, what: string): unknown[] {
  const value = from[field] ?? [];
  if (Array.isArray(value)) return value;
  throw new OrchError('ORCH_CORRUPT', `${what}: "${field}" is not a list`);
}

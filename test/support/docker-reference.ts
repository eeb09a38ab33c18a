import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { parse } from 'yaml';

/** Docker's own definition of its API, kept beside the checkout. */
const referencePath = resolve(import.meta.dirname, '../../../shared/reference/docker-engine-api.yaml');

type Schema = Record<string, unknown>;
type Reference = { readonly paths: Record<string, Record<string, unknown>>; readonly definitions: Record<string, Schema> };

/** Fields that Docker's engine sends and its clients read although its definition leaves them out. */
const undocumented: Readonly<Record<string, readonly string[]>> = {
  ErrorResponse: ['code', 'hint', 'details'],
  Service: ['PreviousSpec'],
  EventMessage: ['status', 'id', 'from'],
  'TaskSpec.ContainerSpec': ['Healthcheck'],
};

const isRecord = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);

const annotations = ['example', 'default', 'description', 'title', 'format'];

/** OpenAPI 2 as JSON Schema: nullable as a type, no annotations. A closed object may only have the fields that are defined, so that a misspelt one is found. */
function toJsonSchema(value: unknown, isClosed: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => toJsonSchema(item, isClosed));
  if (!isRecord(value)) return value;
  const isNullable = value['x-nullable'] === true;
  if (typeof value['$ref'] === 'string') return isNullable ? { anyOf: [{ $ref: value['$ref'] }, { type: 'null' }] } : { $ref: value['$ref'] };
  const kept = Object.entries(value).filter(([key]) => !key.startsWith('x-') && !annotations.includes(key)).map(([key, part]) => [key, convertKeyword(key, part, isNullable)]);
  const isOpen = !isClosed || value['properties'] === undefined || value['additionalProperties'] !== undefined;
  return { ...Object.fromEntries(kept), ...(isOpen ? {} : { additionalProperties: false }) };
}

function convertKeyword(key: string, part: unknown, isNullable: boolean): unknown {
  if (key === 'type') return isNullable ? [part, 'null'] : part;
  if (key === 'enum' && Array.isArray(part)) return isNullable ? [...part, null] : part;
  if (key === 'properties' && isRecord(part)) return Object.fromEntries(Object.entries(part).map(([name, schema]) => [name, toJsonSchema(schema, true)]));
  return toJsonSchema(part, key !== 'allOf');
}


/** The schema with its undocumented fields, also inside its properties. */
function withUndocumented(path: string, schema: Schema): Schema {
  const { properties } = schema;
  if (!isRecord(properties)) return schema;
  const inner = Object.entries(properties).map(([name, property]) => [name, isRecord(property) ? withUndocumented(`${path}.${name}`, property) : property]);
  return { ...schema, properties: { ...Object.fromEntries(inner), ...Object.fromEntries((undocumented[path] ?? []).map((field) => [field, {}])) } };
}

let cached: { readonly paths: Reference['paths']; readonly ajv: Ajv } | undefined;

function load(): { readonly paths: Reference['paths']; readonly ajv: Ajv } {
  if (cached) return cached;
  const reference: Reference = parse(readFileSync(referencePath, 'utf8'));
  const parts = new Set(Object.values(reference.definitions).flatMap((schema) => Array.isArray(schema['allOf']) ? schema['allOf'] : []).flatMap((part) => isRecord(part) && typeof part['$ref'] === 'string' ? [part['$ref'].split('/').at(-1)] : []));
  const definitions = Object.fromEntries(Object.entries(reference.definitions).map(([name, schema]) => [name, toJsonSchema(withUndocumented(name, schema), !parts.has(name))]));
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'docker', definitions });
  cached = { paths: reference.paths, ajv };
  return cached;
}

/** Why tests against Docker's definition are left out; undefined when it is there. */
export const referenceMissing = existsSync(referencePath) ? undefined : `${referencePath} is not there`;

/** Paths of Docker's definition with their methods in upper case. */
export function referencePaths(): Map<string, string[]> {
  return new Map(Object.entries(load().paths).map(([path, methods]) => [path, Object.keys(methods).filter((name) => name !== 'parameters').map((name) => name.toUpperCase())]));
}

/** Fails unless `value` is what Docker defines as `name`; `name[]` is a list of such. Passes everything where the definition is missing. */
export function assertDocker(name: string, value: unknown): void {
  if (referenceMissing) return;
  const { ajv } = load();
  const element = name.replace('[]', '');
  const key = `docker#/definitions/${element}`;
  const validate: ValidateFunction | undefined = ajv.getSchema(key);
  assert.ok(validate, `Docker has no definition ${element}`);
  if (name.endsWith('[]')) assert.ok(Array.isArray(value), `${name} must be a list`);
  for (const item of Array.isArray(value) && name.endsWith('[]') ? value : [value]) {
    assert.ok(validate(item), `not a ${element}: ${ajv.errorsText(validate.errors)} ${JSON.stringify(validate.errors?.map(({ params }) => params))}\n${JSON.stringify(item, undefined, 1)}`);
  }
}

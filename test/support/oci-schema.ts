import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';

const folder = resolve(import.meta.dirname, '../../../shared/reference');

/** The OCI runtime specification's schema of config.json, or why it cannot be had here. Unlike the original it refuses unknown fields, so that a misspelt one is found. */
export function ociConfigSchema(): ValidateFunction | string {
  const path = resolve(folder, 'oci-runtime');
  if (!existsSync(path)) return `the OCI schemas are not at ${path}`;
  const ajv = new Ajv({ strict: false, validateFormats: false });
  for (const name of ['defs.json', 'defs-linux.json', 'config-linux.json']) ajv.addSchema(closed(readJson(resolve(path, name))), name);
  return ajv.compile(linuxOnly(closed(readJson(resolve(path, 'config-schema.json')))));
}

/** Docker's default seccomp profile, or why it cannot be had here. */
export function dockerSeccomp(): DockerSeccomp | string {
  const path = resolve(folder, 'seccomp-default.json');
  return existsSync(path) ? readJson(path) as DockerSeccomp : `Docker's seccomp profile is not at ${path}`;
}

export type DockerRule = {
  readonly names: string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly { readonly index: number; readonly value: number; readonly op: string }[];
  readonly includes?: { readonly arches?: string[]; readonly caps?: string[]; readonly minKernel?: string };
  readonly excludes?: { readonly arches?: string[]; readonly caps?: string[] };
};
export type DockerSeccomp = { readonly defaultAction: string; readonly defaultErrnoRet: number; readonly syscalls: readonly DockerRule[] };

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const readJson = (path: string): Json => JSON.parse(readFileSync(path, 'utf8')) as Json;

function closed(schema: Json): Json {
  const { $schema: _draft, ...rest } = closeDeep(schema) as Json;
  return rest;
}

/** Without the parts for other systems, whose schemas are not there. */
function linuxOnly(schema: Json): Json {
  const { solaris: _solaris, windows: _windows, vm: _vm, zos: _zos, freebsd: _freebsd, ...properties } = schema['properties'] as Json;
  return { ...schema, properties };
}

function closeDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closeDeep);
  if (!isObject(value)) return value;
  const copy: Json = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, closeDeep(part)]));
  const isClosable = copy['type'] === 'object' && isObject(copy['properties']) && !('additionalProperties' in copy) && !('allOf' in copy) && !('patternProperties' in copy);
  return isClosable ? { ...copy, additionalProperties: false } : copy;
}

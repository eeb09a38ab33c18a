import { OrchError } from '../../model/errors.ts';
import type { Image, ImageConfig } from '../../model/image.ts';
import { isDigest } from './content.ts';
import { numberField, objectField, objectsField, parseObject, textField, textMapField, textsField } from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';

/** What an image configuration says; the rest of an `Image` is known by the store alone. */
export type ImageDocument = Pick<Image, 'createdAtMs' | 'config' | 'diffIds' | 'history'> & { readonly platform: { readonly os: string; readonly arch: string; readonly variant: string } };

/** Reads an OCI or Docker image configuration. Throws ORCH_CORRUPT naming `what`. */
export function parseImageDocument(text: string, what: string): ImageDocument {
  const document = parseObject(text, what);
  const rootfs = objectField(document, 'rootfs', what);
  const diffIds = textsField(rootfs, 'diff_ids', what);
  const bad = diffIds.find((diffId) => !isDigest(diffId));
  if (bad !== undefined) throw new OrchError('ORCH_CORRUPT', `${what} names a layer by "${bad}", which is no sha256 digest`);
  return {
    platform: { os: textField(document, 'os', what), arch: textField(document, 'architecture', what), variant: textField(document, 'variant', what) },
    createdAtMs: timeField(document, 'created', what),
    config: parseConfig(objectField(document, 'config', what), what),
    diffIds,
    history: objectsField(document, 'history', what).map((item) => ({
      createdAtMs: timeField(item, 'created', what), createdBy: textField(item, 'created_by', what), comment: textField(item, 'comment', what), emptyLayer: item['empty_layer'] === true,
    })),
  };
}

function parseConfig(config: JsonObject, what: string): ImageConfig {
  const health = config['Healthcheck'] === undefined || config['Healthcheck'] === null ? undefined : objectField(config, 'Healthcheck', what);
  return {
    user: textField(config, 'User', what),
    env: textsField(config, 'Env', what),
    entrypoint: commandField(config, 'Entrypoint', what),
    cmd: commandField(config, 'Cmd', what),
    workingDir: textField(config, 'WorkingDir', what),
    labels: textMapField(config, 'Labels', what),
    stopSignal: textField(config, 'StopSignal', what),
    exposedPorts: Object.keys(objectField(config, 'ExposedPorts', what)),
    volumes: Object.keys(objectField(config, 'Volumes', what)),
    ...(health && { healthCheck: parseHealthCheck(health, what) }),
  };
}

/** Very old images hold one text instead of a list. */
const commandField = (config: JsonObject, field: string, what: string): string[] =>
  typeof config[field] === 'string' ? [config[field]] : textsField(config, field, what);

function parseHealthCheck(health: JsonObject, what: string): NonNullable<ImageConfig['healthCheck']> {
  const intervalNs = numberField(health, 'Interval', what);
  const timeoutNs = numberField(health, 'Timeout', what);
  const startPeriodNs = numberField(health, 'StartPeriod', what);
  const retries = numberField(health, 'Retries', what);
  return {
    test: textsField(health, 'Test', what),
    ...(intervalNs === undefined ? {} : { intervalNs }), ...(timeoutNs === undefined ? {} : { timeoutNs }),
    ...(startPeriodNs === undefined ? {} : { startPeriodNs }), ...(retries === undefined ? {} : { retries }),
  };
}

/** ms since the epoch; 0 when the field is missing or says year 1, as Go's zero time does. */
function timeField(from: JsonObject, field: string, what: string): number {
  const value = textField(from, field, what);
  if (value === '' || value.startsWith('0001-01-01')) return 0;
  const atMs = parseTime(value);
  if (Number.isNaN(atMs)) throw new OrchError('ORCH_CORRUPT', `${what}: "${field}" is not a time`);
  return atMs;
}

// oxlint-disable-next-line no-restricted-globals -- turns text into a number; reads no clock
const parseTime = (text: string): number => Date.parse(text);

/** RFC 3339 in UTC, as image configurations write times. */
// oxlint-disable-next-line no-restricted-globals -- turns a number into text; reads no clock
export const formatTime = (atMs: number): string => new Date(atMs).toISOString();

import type { Mount } from '../../model/service.ts';
import type { ObjectReader } from './object-reader.ts';
import { withoutUndefined } from './without-undefined.ts';

const propagations = ['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'] as const;
/** Mounts of Linux are always consistent, which satisfies each of these. */
const consistencies = ['default', 'consistent', 'cached', 'delegated'] as const;
const unsupportedTypes = ['cluster', 'image', 'npipe'] as const;

/** Docker's Mount as the model has it; undefined when its type cannot be run, which was reported then. */
export function readMount(reader: ObjectReader): Mount | undefined {
  const type = reader.oneOf('Type', ['bind', 'tmpfs', 'volume', ...unsupportedTypes]) ?? 'volume';
  reader.oneOf('Consistency', consistencies);
  const propagation = readBindOptions(reader);
  const tmpfs = readTmpfsOptions(reader);
  const source = reader.text('Source') ?? '';
  const target = reader.requiredText('Target');
  const readOnly = reader.flag('ReadOnly') ?? false;
  reader.object('VolumeOptions').end(['NoCopy', 'Labels', 'DriverConfig', 'Subpath']);
  if (isUnsupported(type)) {
    reader.unsupported('Type', `orch does not support mounts of type ${type}`);
    return undefined;
  }
  if (type === 'tmpfs' && source !== '') reader.invalid('Source', 'must be empty for a mount of type tmpfs');
  if (type !== 'bind' && propagation) reader.invalid('BindOptions', `cannot be given for a mount of type ${type}`);
  if (type !== 'tmpfs' && tmpfs) reader.invalid('TmpfsOptions', `cannot be given for a mount of type ${type}`);
  reader.end(['ImageOptions', 'ClusterOptions']);
  return withoutUndefined({ type, source, target, readOnly, propagation, tmpfs });
}

const isUnsupported = (type: string): type is (typeof unsupportedTypes)[number] => unsupportedTypes.some((unsupported) => unsupported === type);

function readBindOptions(reader: ObjectReader): Mount['propagation'] {
  const options = reader.object('BindOptions');
  const propagation = options.oneOf('Propagation', propagations);
  options.end(['NonRecursive', 'CreateMountpoint', 'ReadOnlyNonRecursive', 'ReadOnlyForceRecursive']);
  return propagation;
}

function readTmpfsOptions(reader: ObjectReader): Mount['tmpfs'] {
  const options = reader.object('TmpfsOptions');
  const sizeBytes = options.amount('SizeBytes');
  const mode = options.amount('Mode', { max: 0o7777 });
  options.end(['Options']);
  return sizeBytes === undefined && mode === undefined ? undefined : withoutUndefined({ sizeBytes, mode });
}

/** Docker's Mount. */
export function dockerMount(mount: Mount): object {
  return withoutUndefined({
    Type: mount.type,
    Source: mount.source || undefined,
    Target: mount.target,
    ReadOnly: mount.readOnly || undefined,
    BindOptions: mount.propagation && { Propagation: mount.propagation },
    TmpfsOptions: mount.tmpfs && withoutUndefined({ SizeBytes: mount.tmpfs.sizeBytes, Mode: mount.tmpfs.mode }),
  });
}

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { isErrno, readTextIfExists } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';
import type { Mount } from '../../model/service.ts';
import type { ContainerCreate } from '../engine.ts';
import type { Image } from '../image-store.ts';
import { buildSpec } from '../oci/build-spec.ts';
import type { ResolvedMount } from '../oci/mounts.ts';
import { formatHostname, formatHosts, formatResolvConf } from '../oci/name-files.ts';
import { formatOciSpec, type OciSpec } from '../oci/oci-spec.ts';
import type { EngineContext } from './engine-context.ts';
import { parseSignal } from './signals.ts';
import type { UserFileCache } from './user-files.ts';

const DEFAULT_STOP_SIGNAL = 'TERM';
/** Of systemd-resolved: its stub on the loopback is in resolv.conf, the real servers are here. */
const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';

/** Throws ORCH_INVALID for a request that no node could run. */
export function checkCreate(create: ContainerCreate): void {
  const invalid = (what: string): OrchError => new OrchError('ORCH_INVALID', what);
  if (!/^[0-9a-f]{64}$/.test(create.id)) throw invalid(`"${create.id}" is not a container id: it has 64 hexadecimal characters`);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(create.name)) {
    throw invalid(`"${create.name}" is not a container name: letters, digits, underscores, dots and dashes, and a letter or digit first`);
  }
  if (!/^[a-zA-Z0-9.-]{0,63}$/.test(create.hostname)) throw invalid(`"${create.hostname}" is not a host name`);
}

/** The signal that asks the container to end: of the request, the image, or TERM. Throws ORCH_INVALID when there is no such signal. */
export function stopSignalOf(create: ContainerCreate, image: Image): string {
  const signal = create.stopSignal || image.config.stopSignal || DEFAULT_STOP_SIGNAL;
  parseSignal(signal);
  return signal;
}

/** Makes the container's directory with everything that the OCI runtime needs; mounts and starts nothing. The directory must not exist yet. */
export async function prepareContainer(context: EngineContext, request: { create: ContainerCreate; image: Image; lowerDirs: readonly string[]; userFiles: UserFileCache }): Promise<void> {
  const { create, image, lowerDirs } = request;
  const paths = context.paths.of(create.id);
  await mkdir(paths.directory, { mode: 0o700 });
  // The mode of `upper` becomes that of the container's root directory.
  await Promise.all([mkdir(paths.upper, { mode: 0o755 }), mkdir(paths.work), mkdir(paths.rootfs)]);
  const [mounts, userFiles, nodeHosts, nodeResolvConf] = await Promise.all([
    Promise.all(create.mounts.map((mount) => resolveMount(context, mount))),
    request.userFiles.read(image.id, lowerDirs, paths.rootfs),
    readTextIfExists('/etc/hosts'),
    readNodeResolvConf(),
  ]);
  const spec = buildSpec({
    create, mounts, userFiles, image: image.config, host: context.host, cgroupsPath: context.cgroups.pathOf(create.id),
    nameFiles: { hosts: paths.hosts, hostname: paths.hostname, resolvConf: paths.resolvConf },
  });
  reportCuts(context, create, spec);
  await Promise.all([
    writeFile(paths.config, formatOciSpec(spec), { mode: 0o600 }),
    writeFile(paths.hosts, formatHosts(create, nodeHosts ?? ''), { mode: 0o644 }),
    writeFile(paths.hostname, formatHostname(create), { mode: 0o644 }),
    writeFile(paths.resolvConf, formatResolvConf(create, nodeResolvConf), { mode: 0o644 }),
    writeFile(paths.log, '', { mode: 0o640 }),
  ]);
}

/** The daemon can only give what it has; a request for more is met as far as possible, and that is said. */
function reportCuts(context: EngineContext, create: ContainerCreate, { process: { rlimits, oomScoreAdj } }: OciSpec): void {
  const cut = create.ulimits.filter(({ name, hard }) => hard >= 0 && rlimits.some(({ type, hard: given }) => type === `RLIMIT_${name.toUpperCase()}` && given < BigInt(hard))).map(({ name }) => name);
  if (oomScoreAdj !== create.oomScoreAdj) cut.push('OOM score adjustment');
  if (cut.length > 0) context.log.warn({ containerId: create.id, limits: cut.join(', ') }, 'limits of a container were cut to what the daemon may set');
}

async function readNodeResolvConf(): Promise<string> {
  const text = await readTextIfExists('/etc/resolv.conf') ?? '';
  return text.includes('nameserver 127.0.0.53') ? await readTextIfExists(RESOLVED_CONF) ?? text : text;
}

async function resolveMount(context: EngineContext, mount: Mount): Promise<ResolvedMount> {
  if (mount.type === 'tmpfs') return { ...mount, hostPath: '' };
  if (mount.propagation === 'shared' || mount.propagation === 'rshared') {
    throw new OrchError('ORCH_UNSUPPORTED', `The mount at ${mount.target} cannot have propagation ${mount.propagation}: containers do not change the node's mounts`);
  }
  if (mount.type === 'volume') {
    if (!context.volumePath) throw new OrchError('ORCH_UNSUPPORTED', `Volume "${mount.source}" cannot be mounted: this node has no volumes`);
    return { ...mount, hostPath: await context.volumePath(mount.source) };
  }
  if (!mount.source.startsWith('/')) throw new OrchError('ORCH_INVALID', `The bind mount's source "${mount.source}" is not an absolute path`);
  await checkExists(mount.source);
  return { ...mount, hostPath: mount.source };
}

async function checkExists(source: string): Promise<void> {
  try {
    await stat(source);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) {
      throw new OrchError('ORCH_INVALID', `The bind mount's source path does not exist: ${source}`, { hint: 'Make it on every node that may run the container, or use a volume', cause: error });
    }
    throw error;
  }
}

import { newContainerId } from '../../base/ids.ts';
import { systemRandom } from '../../base/random.ts';
import type { ContainerCreate } from '../../runtime/engine.ts';
import type { ImageConfig } from '../../runtime/image-store.ts';

/** A request for a container of the image `busybox` with a plain container's defaults and no network. */
export function containerRequest(command: readonly string[], changes: Partial<ContainerCreate> = {}): ContainerCreate {
  const id = newContainerId(systemRandom);
  return {
    id, name: `c-${id.slice(0, 12)}`, image: 'busybox', command, env: [], labels: {}, hostname: '', groups: [], tty: false, readOnly: false, stopGraceMs: 10_000,
    mounts: [], hosts: [], dns: { nameservers: [], search: [], options: [] }, capabilityAdd: [], capabilityDrop: [], sysctls: {}, ulimits: [], oomScoreAdj: 0,
    noNewPrivileges: false, limits: {}, network: { mode: 'none' }, ...changes,
  };
}

/** An image that sets nothing. */
export const emptyImageConfig: ImageConfig = { user: '', env: [], entrypoint: [], cmd: [], workingDir: '', labels: {}, stopSignal: '', exposedPorts: [], volumes: [] };

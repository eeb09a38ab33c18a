import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { NodeCgroups } from '../cgroups/node-cgroups.ts';
import type { ImageStore } from '../image-store.ts';
import type { HostFacts } from '../oci/host-facts.ts';
import type { OciRuntime } from '../oci/oci-runtime.ts';
import type { ShimClient } from '../shim-client.ts';
import type { ContainerJournal } from './container-journal.ts';
import type { EnginePaths } from './paths.ts';

/** What the parts of one engine share. */
export type EngineContext = {
  readonly paths: EnginePaths;
  readonly images: ImageStore;
  readonly shim: ShimClient;
  readonly runtime: OciRuntime;
  readonly cgroups: NodeCgroups;
  readonly journal: ContainerJournal;
  readonly host: HostFacts;
  readonly clock: Clock;
  readonly log: Log;
  /** Directory of the named volume on the host, made when missing; undefined on a node without volumes. */
  readonly volumePath: ((name: string) => Promise<string>) | undefined;
};

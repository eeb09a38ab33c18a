import type { ApiClient, ApiRequest } from './http-client.ts';
import type { DockerServiceSpec } from './service/docker-spec.ts';

/** The parts of Docker's answers (Engine API) that the command line shows. */
type Versioned = { readonly ID: string; readonly Version: { readonly Index: number }; readonly CreatedAt: string; readonly UpdatedAt: string };

export type DockerService = Versioned & {
  readonly Spec: DockerServiceSpec;
  readonly PreviousSpec?: DockerServiceSpec;
  readonly ServiceStatus?: { readonly RunningTasks: number; readonly DesiredTasks: number; readonly CompletedTasks?: number };
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string };
};

export type DockerTask = Versioned & {
  readonly ServiceID: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly DesiredState: string;
  readonly Spec: DockerServiceSpec['TaskTemplate'];
  readonly Status: {
    readonly Timestamp: string; readonly State: string; readonly Message?: string; readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string; readonly PID?: number; readonly ExitCode?: number };
    readonly PortStatus?: { readonly Ports?: readonly { readonly Protocol: string; readonly TargetPort: number; readonly PublishedPort: number }[] };
  };
  readonly NetworksAttachments?: readonly { readonly Addresses?: readonly string[] }[];
};

export type DockerNode = Versioned & {
  readonly Spec: { readonly Name?: string; readonly Labels?: Readonly<Record<string, string>>; readonly Role: string; readonly Availability: string };
  readonly Description?: {
    readonly Hostname?: string; readonly Platform?: { readonly OS?: string; readonly Architecture?: string };
    readonly Resources?: { readonly NanoCPUs?: number; readonly MemoryBytes?: number }; readonly Engine?: { readonly EngineVersion?: string };
  };
  readonly Status: { readonly State: string; readonly Message?: string; readonly Addr?: string };
  readonly ManagerStatus?: { readonly Leader?: boolean; readonly Reachability?: string; readonly Addr?: string };
};

export type DockerSwarm = Versioned & { readonly JoinTokens: { readonly Worker: string; readonly Manager: string }; readonly Spec: Readonly<Record<string, unknown>> };

export type DockerImageSummary = { readonly Id: string; readonly RepoTags: readonly string[]; readonly RepoDigests: readonly string[]; readonly Created: number; readonly Size: number };

export type DockerContainerSummary = {
  readonly Id: string; readonly Names: readonly string[]; readonly Image: string; readonly Command: string; readonly Created: number; readonly State: string; readonly Status: string;
  readonly Ports?: readonly { readonly IP?: string; readonly PrivatePort: number; readonly PublicPort?: number; readonly Type: string }[]; readonly Labels?: Readonly<Record<string, string>>;
};

export type DockerInfo = Readonly<Record<string, unknown>> & { readonly Swarm: { readonly NodeID: string; readonly LocalNodeState: string; readonly ControlAvailable: boolean; readonly NodeAddr?: string; readonly Error?: string; readonly RemoteManagers?: readonly { readonly NodeID: string; readonly Addr: string }[] | null } };

/** Reads an answer as the type that the API promises; the API's own tests hold its answers to Docker's schema. */
export async function getJson<T>(client: ApiClient, path: string, request: Omit<ApiRequest, 'path'> = {}): Promise<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return await client.json({ ...request, path }) as T;
}

/** `/services/web` with the name made safe for a path. */
export const objectPath = (collection: string, name: string): string => `/${collection}/${encodeURIComponent(name)}`;

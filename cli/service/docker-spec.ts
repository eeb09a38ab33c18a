/** The parts of Docker's ServiceSpec (Engine API) that the command line writes; everything missing takes the daemon's default. Durations are ns. */
export type DockerMount = {
  Type: string; Source?: string; Target: string; ReadOnly?: boolean;
  BindOptions?: { Propagation?: string };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
};
export type DockerPort = { Protocol: string; TargetPort: number; PublishedPort?: number; PublishMode: string };
export type DockerUpdateConfig = { Parallelism?: number; Delay?: number; FailureAction?: string; Monitor?: number; MaxFailureRatio?: number; Order?: string };

export type DockerContainerSpec = {
  Image: string; Command?: string[]; Args?: string[]; Env?: string[]; Labels?: Record<string, string>; Hostname?: string; Dir?: string; User?: string; Groups?: string[];
  TTY?: boolean; ReadOnly?: boolean; Init?: boolean; StopSignal?: string; StopGracePeriod?: number; Mounts?: DockerMount[]; Hosts?: string[];
  DNSConfig?: { Nameservers?: string[]; Search?: string[]; Options?: string[] };
  CapabilityAdd?: string[]; CapabilityDrop?: string[]; Sysctls?: Record<string, string>; Ulimits?: { Name: string; Soft: number; Hard: number }[]; OomScoreAdj?: number;
  Healthcheck?: { Test?: string[]; Interval?: number; Timeout?: number; Retries?: number; StartPeriod?: number; StartInterval?: number };
};

export type DockerServiceSpec = {
  Name: string;
  Labels?: Record<string, string>;
  TaskTemplate: {
    ContainerSpec: DockerContainerSpec;
    Resources?: { Limits?: { NanoCPUs?: number; MemoryBytes?: number; Pids?: number }; Reservations?: { NanoCPUs?: number; MemoryBytes?: number } };
    RestartPolicy?: { Condition?: string; Delay?: number; MaxAttempts?: number; Window?: number };
    Placement?: { Constraints?: string[]; Preferences?: { Spread: { SpreadDescriptor: string } }[]; MaxReplicas?: number };
    Networks?: { Target: string; Aliases?: string[] }[];
    LogDriver?: { Name: string; Options?: Record<string, string> };
    ForceUpdate?: number;
  };
  Mode?: { Replicated?: { Replicas?: number }; Global?: Record<string, never> };
  UpdateConfig?: DockerUpdateConfig;
  RollbackConfig?: DockerUpdateConfig;
  EndpointSpec?: { Mode?: string; Ports?: DockerPort[] };
};

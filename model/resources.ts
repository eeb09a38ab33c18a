/** Amounts of a node's resources. Missing means none asked or unlimited, by context. */
export type Resources = {
  /** Billionths of a CPU: 1_500_000_000 is one and a half CPUs. */
  readonly nanoCpus?: number;
  readonly memoryBytes?: number;
};

export type ResourceLimits = Resources & {
  /** Most processes and threads in one container; 0 or missing is unlimited. */
  readonly pids?: number;
};

/** What a task may use at most (`limits`) and what its node must set aside for it (`reservations`). */
export type ResourceRequirements = { readonly limits: ResourceLimits; readonly reservations: Resources };

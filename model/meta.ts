/** What every stored object has. Times are ms since the Unix epoch, set by the store. */
export type Meta = {
  /** 25 characters of lower-case base36, unique in the cluster. */
  readonly id: string;
  /** Grows by one with every write of this object; the token of optimistic concurrency, Docker's `Version.Index`. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

export type Labels = Readonly<Record<string, string>>;

export type ClusterId = string;
export type NodeId = string;
export type ServiceId = string;
export type RevisionId = string;
export type TaskId = string;
/** 64 hexadecimal characters. */
export type ContainerId = string;

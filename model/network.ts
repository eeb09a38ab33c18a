import type { Labels, Meta } from './meta.ts';

export type NetworkDriver = 'overlay' | 'bridge' | 'host' | 'none';

export type NetworkSpec = { readonly name: string; readonly labels: Labels; readonly driver: NetworkDriver; readonly attachable: boolean; readonly internal: boolean };

/** A cluster-wide network. The predefined `none`, `host` and `bridge` exist on every node and are not stored. */
export type Network = Meta & { readonly spec: NetworkSpec };

/** One top-level folder: what it may import, and why. ARCHITECTURE.md's table is generated from this. */
export type Layer = {
  readonly is: string;
  readonly may: readonly string[];
  /** npm packages it may import. */
  readonly npm: readonly string[];
  /** May it import Node's own modules? */
  readonly node: boolean;
  readonly why: string;
};

const grpc = ['@grpc/grpc-js', 'protobufjs'];

/** The architecture. Changing a row takes an ADR. */
export const layers: Readonly<Record<string, Layer>> = {
  base: { is: 'clock, chance, ids, reconcile loop, backoff, files, log, metrics; no domain word', may: [], npm: ['pino', 'prom-client'], node: true, why: 'base knows nothing of containers or clusters' },
  model: { is: 'the vocabulary: objects, task states, validation, placement language, errors; pure', may: [], npm: [], node: false, why: 'model is vocabulary shared by every process, and pure' },
  proto: { is: 'messages, conversion to and from the model, channels and credentials', may: ['model', 'base'], npm: grpc, node: true, why: 'wire types stop in proto' },
  store: { is: 'typed tables over a small backend seam; memory and SQLite backends', may: ['model', 'base'], npm: [], node: true, why: 'a store must not know who reads it' },
  scheduler: { is: 'placement: snapshot to placements and explanations; pure', may: ['model'], npm: [], node: false, why: 'scheduling is a pure function of a snapshot' },
  manager: { is: 'orchestrators, allocator, scheduling loop, dispatcher, CA, control operations, leadership', may: ['scheduler', 'store', 'proto', 'model', 'base'], npm: ['@grpc/grpc-js'], node: true, why: 'a manager never runs containers' },
  network: { is: "the node's network: plans (pure), links, nftables", may: ['model', 'base'], npm: ['koffi'], node: true, why: 'the network knows containers only by id' },
  runtime: { is: 'images, root file systems, OCI configuration, containers, cgroups, logs; runtime/shim is C', may: ['model', 'base'], npm: ['tar-stream', 'koffi'], node: true, why: 'the engine works without a cluster' },
  agent: { is: 'session, assignments, task steps, local state, log streams', may: ['runtime', 'network', 'proto', 'model', 'base'], npm: ['@grpc/grpc-js'], node: true, why: 'an agent must survive without a manager' },
  api: { is: "HTTP routes in Docker's shapes; declares the interfaces it needs", may: ['model', 'base'], npm: ['fastify'], node: true, why: 'the API is served by any node, manager or not' },
  cli: { is: 'commands as data; speaks only HTTP', may: ['model', 'base'], npm: ['yaml'], node: true, why: '`orch ps` must not load the manager' },
  deploy: { is: 'set-up scripts and the lab: many nodes on one host', may: ['model', 'base'], npm: [], node: true, why: 'the lab sees a node as its user does' },
  bin: { is: 'composition root: wires the rest by dynamic import', may: ['base', 'model', 'proto', 'store', 'scheduler', 'manager', 'network', 'runtime', 'agent', 'api', 'cli', 'deploy'], npm: [], node: true, why: 'only bin knows every part' },
};

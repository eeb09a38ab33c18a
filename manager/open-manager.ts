import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { OrchError } from '../model/errors.ts';
import type { NodeId } from '../model/meta.ts';
import type { NodePlane } from '../proto/session-messages.ts';
import type { Store } from '../store/store.ts';
import { startAllocator } from './allocator.ts';
import { startCompactionLoop } from './compaction-loop.ts';
import { Control } from './control/control.ts';
import { managerAddress } from './control/nodes.ts';
import { startDispatcher, type Dispatcher } from './dispatcher/dispatcher.ts';
import { LogBroker } from './dispatcher/log-broker.ts';
import { LeaderScope } from './leader-scope.ts';
import { startReaperLoop } from './orchestrator/reaper-loop.ts';
import { startServiceLoop } from './orchestrator/service-loop.ts';
import { startSchedulingLoop } from './scheduling-loop.ts';

export type ManagerOptions = {
  /** Holds a cluster; outlives the manager. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** This manager's node. */
  readonly nodeId: NodeId;
  /** What the CA does for `NodePlane.renewCertificate`. */
  readonly renewCertificate: NodePlane['renewCertificate'];
  /**
   * No other process can write to the store (a database file that this process has locked): leadership that an earlier run of this node left is taken over at once
   * instead of waited out. Default false.
   */
  readonly isOnlyManager?: boolean;
  /** How long leadership outlives a manager that vanished. Default 5 s. */
  readonly leaderTtlMs?: number;
};

export type Manager = AsyncDisposable & {
  /** For the API. */
  readonly control: Control;
  /** For the server that agents dial. Refuses sessions with ORCH_NOT_MANAGER while this manager does not lead. */
  readonly nodePlane: NodePlane;
  /** True while this manager leads. */
  readonly leading: () => boolean;
};

/** Starts a manager, which runs the cluster while it leads. Resolves once it leads, or knows that another manager does. */
export async function openManager(options: ManagerOptions): Promise<Manager> {
  const { store, clock, random, log, nodeId } = options;
  let dispatcher: Dispatcher | undefined;
  const logs = new LogBroker({ store, clock, random, send: (to, message) => dispatcher?.send(to, message) ?? false });
  const leader = new LeaderScope({
    store, clock, random, log,
    holder: options.isOnlyManager === true ? nodeId : `${nodeId}/${newId(random)}`,
    ...(options.leaderTtlMs === undefined ? {} : { ttlMs: options.leaderTtlMs }),
    start: async (context, scope) => {
      const started = await startDispatcher(context, scope, { managerAddresses: () => managerAddresses(store), onSessionEnd: (id) => logs.sessionEnded(id) });
      scope.defer(() => { dispatcher = undefined; });
      startServiceLoop(context, scope);
      startAllocator(context, scope);
      startSchedulingLoop(context, scope);
      startReaperLoop(context, scope);
      startCompactionLoop(context, scope);
      dispatcher = started;
    },
  });
  const control = new Control({ store, clock, random, logs, nodeId, leading: () => leader.leading });
  const nodePlane: NodePlane = {
    openSession: (peer, channel) => requireLeading(dispatcher).openSession(peer, channel),
    renewCertificate: (peer, csrPem) => options.renewCertificate(peer, csrPem),
    receiveLogs: (peer, subscriptionId, records) => logs.receiveLogs(peer, subscriptionId, records),
  };
  await leader.decided();
  return {
    control, nodePlane,
    leading: () => leader.leading,
    async [Symbol.asyncDispose]() {
      await leader[Symbol.asyncDispose]();
      control[Symbol.dispose]();
    },
  };
}

function requireLeading(dispatcher: Dispatcher | undefined): Dispatcher {
  if (dispatcher) return dispatcher;
  throw new OrchError('ORCH_NOT_MANAGER', 'This manager does not lead the cluster', { hint: 'Try again: another one does, or will in a moment' });
}

const managerAddresses = (store: Store): string[] =>
  store.view((view) => [...view.node.list()].filter((node) => node.role === 'manager').map(managerAddress));

import { planGlobal } from './plan-global.ts';
import { planReplicated } from './plan-replicated.ts';
import { planRestart } from './plan-restart.ts';
import { planUpdate } from './plan-update.ts';
import { groupSlots } from './slots.ts';
import { mergePlans, setDesired, type Plan, type ServiceSnapshot } from './snapshot.ts';

/** Pure: everything that must change now for one service: which slots it has, what replaces tasks that ended or were lost, the next step of its update. */
export function planService(snapshot: ServiceSnapshot): Plan {
  const { service } = snapshot;
  if (service.removing) return { actions: setDesired(snapshot.tasks, 'remove'), wakeAtMs: undefined };
  const slots = groupSlots(snapshot);
  const { mode } = service.spec;
  const members = mode.type === 'global' ? planGlobal(snapshot, slots) : planReplicated(snapshot, slots, mode.replicas);
  const update = planUpdate(snapshot, members.kept);
  if (update.actions.some((action) => action.type === 'roll-back')) return update;
  const restarts = members.kept.filter((slot) => !update.taken.has(slot.key)).map((slot) => planRestart(snapshot, slot));
  return mergePlans([{ actions: members.actions, wakeAtMs: undefined }, update, ...restarts]);
}

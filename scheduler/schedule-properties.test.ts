import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { Node } from '../model/node.ts';
import { meetsConstraint, parseConstraint, parseSpread, placementValue, runsOn } from '../model/placement.ts';
import type { Revision } from '../model/service.ts';
import type { Task } from '../model/task.ts';
import { isEnded, taskStateRank } from '../model/task.ts';
import { node, revision, task } from '../model/testing.ts';
import type { Decision, PendingWork } from './decision.ts';
import { FAILURE_WINDOW_MS, FAILURES_TO_AVOID } from './recent-failures.ts';
import { schedule } from './schedule.ts';
import { SchedulerState } from './scheduler-state.ts';

const MIB = 1024 ** 2;
const NOW_MS = 10 * FAILURE_WINDOW_MS;

/** One of every kind of demand, and some together. */
const revisions: readonly Revision[] = ([
  {},
  { reserve: { memoryBytes: 64 * MIB } },
  { reserve: { memoryBytes: 100 * MIB, nanoCpus: 1e9 }, placement: { constraints: ['node.labels.zone!=a'] } },
  { placement: { spread: ['node.labels.zone'] } },
  { reserve: { memoryBytes: 64 * MIB }, placement: { spread: ['node.labels.zone', 'node.labels.rack'], maxReplicasPerNode: 2 } },
  { placement: { platforms: [{ os: 'linux', arch: 'arm64' }], maxReplicasPerNode: 1 } },
  { placement: { constraints: ['node.labels.rack==1'] } },
] as const).map((template, index) => revision({ id: `r${index}`, serviceId: `s${Math.floor(index / 2)}`, template, ports: index % 3 === 2 ? [{ protocol: 'tcp', targetPort: 80, publishedPort: 8080, mode: 'host' }] : [] }));

/** The cluster as the test knows it; everything is worked out anew from it each time. */
type Truth = {
  readonly nodes: Map<string, Node>;
  readonly tasks: Map<string, Task>;
  readonly revisions: Map<string, Revision>;
  /** Node of each placement that is neither committed nor taken back. */
  readonly tentative: Map<string, string>;
  /** Revision of each task that was told to have failed on a node, by node; outlives the tasks but not the node. */
  readonly failures: Map<string, Map<string, string>>;
};

/** Tells both sides of a task. */
function tell(truth: Truth, state: SchedulerState, told: Task): void {
  truth.tasks.set(told.id, told);
  if (told.status.state === 'failed' && told.nodeId !== undefined) truth.failures.getOrInsertComputed(told.nodeId, () => new Map()).set(told.id, told.revisionId);
  state.upsertTask(told);
}

type Load = { memoryBytes: number; nanoCpus: number; service: number; total: number; isPortTaken: boolean; failures: number };

function loadOf(truth: Truth, nodeId: string, wanted: Revision): Load {
  const failures = [...truth.failures.get(nodeId)?.values() ?? []].filter((revisionId) => revisionId === wanted.id).length;
  const load: Load = { memoryBytes: 0, nanoCpus: 0, service: 0, total: 0, isPortTaken: false, failures };
  for (const { id, serviceId, revisionId, status, desired, nodeId: assignedTo } of truth.tasks.values()) {
    const tentativeOn = truth.tentative.get(id);
    if (tentativeOn !== nodeId && !(assignedTo === nodeId && holdsResources(status.state))) continue;
    addDemand(load, truth.revisions.get(revisionId));
    if (tentativeOn === undefined && desired === 'shutdown') continue;
    load.total += 1;
    if (serviceId === wanted.serviceId) load.service += 1;
  }
  return load;
}

const holdsResources = (state: Task['status']['state']): boolean => taskStateRank(state) >= taskStateRank('assigned') && !isEnded(state);

function addDemand(load: Load, demanding: Revision | undefined): void {
  const { memoryBytes = 0, nanoCpus = 0 } = demanding?.template.resources.reservations ?? {};
  load.memoryBytes += memoryBytes;
  load.nanoCpus += nanoCpus;
  load.isPortTaken ||= (demanding?.ports.length ?? 0) > 0;
}

/** The text of the first filter that the node fails. */
function refusalOf(truth: Truth, target: Node, wanted: Revision): string | undefined {
  const load = loadOf(truth, target.id, wanted);
  const { resources, placement } = wanted.template;
  const has = target.description?.resources ?? { nanoCpus: 0, memoryBytes: 0 };
  const { nanoCpus = 0, memoryBytes = 0 } = resources.reservations;
  const failedConstraint = placement.constraints.find((text) => !meetsConstraint(parseConstraint(text), target));
  const filters: readonly (readonly [boolean, string])[] = [
    [target.status.state !== 'ready', 'node is down'],
    [target.spec.availability === 'drain', 'node is drained'],
    [target.spec.availability === 'pause', 'node is paused'],
    [nanoCpus > 0 && load.nanoCpus + nanoCpus > has.nanoCpus, 'insufficient CPU'],
    [memoryBytes > 0 && load.memoryBytes + memoryBytes > has.memoryBytes, 'insufficient memory'],
    [lacksPlatform(target, wanted), 'platform linux/arm64 not available'],
    [failedConstraint !== undefined, `constraint ${failedConstraint?.replace(/([!=]=)/, ' $1 ')} not met`],
    [load.isPortTaken && wanted.ports.length > 0, 'host port 8080/tcp in use'],
    [placement.maxReplicasPerNode > 0 && load.service >= placement.maxReplicasPerNode, 'max replicas per node reached'],
  ];
  return filters.find(([isFailed]) => isFailed)?.[1];
}

const lacksPlatform = ({ description }: Node, { template }: Revision): boolean =>
  template.placement.platforms.length > 0 && !template.placement.platforms.some((platform) => description !== undefined && runsOn(platform, description.platform));

/** Nodes that are as good as any other for the next task of the revision. */
function bestNodes(truth: Truth, wanted: Revision): Node[] {
  let branch = [...truth.nodes.values()];
  const hasRoom = (target: Node): boolean => refusalOf(truth, target, wanted) === undefined;
  for (const text of wanted.template.placement.spread) {
    const valueOf = (target: Node): string => placementValue(parseSpread(text), target) ?? '';
    const tasksOf = (value: string): number => branch.filter((target) => valueOf(target) === value).reduce((sum, target) => sum + loadOf(truth, target.id, wanted).service, 0);
    const values = [...new Set(branch.filter(hasRoom).map(valueOf))];
    const fewest = Math.min(...values.map(tasksOf));
    const tied = values.filter((value) => tasksOf(value) === fewest);
    // Which of the tied branches is taken is free, so all of them are good.
    branch = branch.filter((target) => tied.includes(valueOf(target)));
    if (tied.length > 1) return branch.filter(hasRoom);
  }
  const rank = (target: Node): readonly number[] => {
    const load = loadOf(truth, target.id, wanted);
    return [load.failures >= FAILURES_TO_AVOID ? 1 : 0, load.service, load.total];
  };
  const ranked = branch.filter(hasRoom).map((target) => ({ target, rank: rank(target) })).toSorted((a, b) => compareRanks(a.rank, b.rank));
  return ranked.filter((entry) => compareRanks(entry.rank, ranked[0]?.rank ?? []) === 0).map((entry) => entry.target);
}

const compareRanks = (a: readonly number[], b: readonly number[]): number => a.map((value, index) => value - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;

/** Replays a decision on the truth, and checks each step of it. */
function check(truth: Truth, work: PendingWork, decision: Decision): void {
  const placed = new Map(decision.placements.map((placement) => [placement.taskId, placement.nodeId]));
  const wantedTasks = [...work.preassigned.map((entry) => ({ taskIds: [entry.taskId], only: entry.nodeId, revisionId: entry.revisionId })), ...work.groups.map((group) => ({ ...group, only: undefined }))];
  assert.equal(placed.size + decision.unplaced.flatMap((unplaced) => unplaced.taskIds).length, wantedTasks.flatMap((wanted) => wanted.taskIds).length);
  for (const { taskIds, only, revisionId } of wantedTasks) {
    const wanted = truth.revisions.get(revisionId);
    for (const taskId of taskIds) {
      const nodeId = placed.get(taskId);
      const good = wanted ? bestNodes(truth, wanted).map((target) => target.id) : [];
      if (nodeId === undefined) {
        const target = truth.nodes.get(only ?? '');
        assert.ok(only === undefined ? good.length === 0 : !wanted || !target || refusalOf(truth, target, wanted) !== undefined, `${taskId} should have been placed on one of ${good.join(', ')}`);
      } else {
        const target = truth.nodes.get(nodeId);
        assert.ok(wanted && target && refusalOf(truth, target, wanted) === undefined, `${taskId} must not be on ${nodeId}`);
        assert.ok(only === undefined ? good.includes(nodeId) : only === nodeId, `${taskId} is on ${nodeId}, better: ${good.join(', ')}`);
        truth.tentative.set(taskId, nodeId);
      }
    }
  }
}

type Step = (truth: Truth, state: SchedulerState) => void;

const named = (prefix: string, count: number): fc.Arbitrary<string> => fc.nat({ max: count - 1 }).map((number) => `${prefix}${number}`);

const upsertNode: fc.Arbitrary<Step> = fc.record({
  id: named('n', 6), zone: fc.constantFrom('a', 'b', undefined), rack: fc.constantFrom('1', '2'), availability: fc.constantFrom('active', 'active', 'active', 'drain', 'pause'),
  state: fc.constantFrom('ready', 'ready', 'ready', 'down'), memoryMib: fc.constantFrom(64, 150, 400), nanoCpus: fc.constantFrom(1e9, 4e9), arch: fc.constantFrom('amd64', 'arm64'),
}).map(({ id, zone, rack, availability, state: nodeState, memoryMib, nanoCpus, arch }) => (truth, state) => {
  const labels = { rack, ...(zone === undefined ? {} : { zone }) };
  const made = node({ id, labels, availability, state: nodeState, memoryBytes: memoryMib * MIB, nanoCpus, arch });
  truth.nodes.set(id, made);
  state.upsertNode(made);
});

const removeNode: fc.Arbitrary<Step> = named('n', 6).map((id) => (truth, state) => {
  truth.nodes.delete(id);
  truth.failures.delete(id);
  state.removeNode(id);
});

const upsertRevision: fc.Arbitrary<Step> = fc.constantFrom(...revisions).map((made) => (truth, state) => {
  truth.revisions.set(made.id, made);
  state.upsertRevision(made);
});

let taskNumber = 0;
const addTasks: fc.Arbitrary<Step> = fc.record({ made: fc.constantFrom(...revisions), count: fc.integer({ min: 1, max: 5 }), on: fc.option(named('n', 6), { nil: undefined, freq: 5 }) }).map(({ made, count, on }) => (truth, state) => {
  for (let slot = 1; slot <= count; slot += 1) {
    const added = task({ id: `t${taskNumber}`, serviceId: made.serviceId, revisionId: made.id, slot, ...(on === undefined ? {} : { nodeId: on }) });
    taskNumber += 1;
    tell(truth, state, added);
  }
});

/** Something happens to one task: it moves on, fails, is no longer wanted, or is told again as it was. */
const changeTask: fc.Arbitrary<Step> = fc.record({ pick: fc.nat(), change: fc.constantFrom('running', 'failed', 'shutdown', 'same', 'removed') }).map(({ pick, change }) => (truth, state) => {
  const tasks = [...truth.tasks.values()].filter((candidate) => !truth.tentative.has(candidate.id));
  const old = tasks[pick % tasks.length];
  if (!old) return;
  if (change === 'removed') {
    truth.tasks.delete(old.id);
    state.removeTask(old.id);
    return;
  }
  const isAssigned = taskStateRank(old.status.state) >= taskStateRank('assigned');
  const changed: Task = change === 'shutdown' ? { ...old, desired: 'shutdown' }
    : change === 'same' || !isAssigned || isEnded(old.status.state) ? old : { ...old, status: { ...old.status, state: change, atMs: NOW_MS - 1 } };
  tell(truth, state, changed);
});

const decide: fc.Arbitrary<Step> = fc.constant((truth, state) => {
  const work = state.pendingWork();
  const waiting = [...truth.tasks.values()].filter((candidate) => candidate.status.state === 'pending' && candidate.desired === 'running' && !truth.tentative.has(candidate.id));
  assert.equal(work.preassigned.length + work.groups.flatMap((group) => group.taskIds).length, waiting.length);
  check(truth, work, schedule(state, work, NOW_MS));
});

/** Ends some placements: the task is seen assigned, or the commit has failed, perhaps after the task was told once more as it was. */
const settle: fc.Arbitrary<Step> = fc.array(fc.constantFrom('commit', 'commit', 'rollback', 'told-rollback', 'wait'), { minLength: 1, maxLength: 8 }).map((fates) => (truth, state) => {
  for (const [index, [taskId, nodeId]] of [...truth.tentative].entries()) {
    const fate = fates[index % fates.length];
    const old = truth.tasks.get(taskId);
    if (fate === 'wait' || !old) continue;
    truth.tentative.delete(taskId);
    const assigned: Task = { ...old, nodeId, status: { ...old.status, state: 'assigned' } };
    if (fate === 'commit') tell(truth, state, assigned);
    if (fate === 'told-rollback') tell(truth, state, old);
    // After a commit this is too late, and must change nothing.
    state.rollback([taskId]);
  }
});

/** So many failures of one revision on one node that the node is to be avoided for it. */
const failOften: fc.Arbitrary<Step> = fc.record({ made: fc.constantFrom(...revisions), nodeId: named('n', 6) }).map(({ made, nodeId }) => (truth, state) => {
  for (let attempt = 1; attempt <= FAILURES_TO_AVOID; attempt += 1) {
    const failed = task({ id: `f${attempt}-${made.id}-${nodeId}`, serviceId: made.serviceId, revisionId: made.id, nodeId, state: 'failed', status: { atMs: NOW_MS - attempt } });
    tell(truth, state, failed);
  }
});

const steps = fc.array(fc.oneof({ weight: 3, arbitrary: upsertNode }, { weight: 1, arbitrary: removeNode }, { weight: 1, arbitrary: upsertRevision }, { weight: 5, arbitrary: addTasks },
  { weight: 6, arbitrary: changeTask }, { weight: 5, arbitrary: decide }, { weight: 3, arbitrary: settle }, { weight: 1, arbitrary: failOften }), { maxLength: 60, size: 'max' });

/** Plays a history on a cluster of four nodes that knows most revisions. */
function play(history: readonly Step[]): { readonly truth: Truth; readonly state: SchedulerState } {
  const truth: Truth = { nodes: new Map(), tasks: new Map(), revisions: new Map(), tentative: new Map(), failures: new Map() };
  const state = new SchedulerState();
  for (const id of ['n0', 'n1', 'n2', 'n3']) truth.nodes.set(id, node({ id, labels: { zone: id < 'n2' ? 'a' : 'b', rack: '1' } }));
  for (const made of revisions.slice(0, -1)) truth.revisions.set(made.id, made);
  for (const made of truth.nodes.values()) state.upsertNode(made);
  for (const made of truth.revisions.values()) state.upsertRevision(made);
  for (const step of history) step(truth, state);
  return { truth, state };
}

describe('schedule, whatever happened before', () => {
  it('places every task on one of the best nodes that pass all filters, and leaves none that has one', () => {
    fc.assert(fc.property(steps, (history) => { play(history); }), { numRuns: 200 });
  });

  it('counts every node for the first filter it fails', () => {
    fc.assert(fc.property(steps, fc.constantFrom(...revisions), (history, wanted) => {
      const { truth, state } = play(history);
      state.upsertRevision(wanted);
      // While nothing happens that could make room, the last explanation stands; a node that is told of could.
      for (const told of truth.nodes.values()) state.upsertNode(told);
      const taskIds = Array.from({ length: 200 }, (_, index) => `filler${index}`);
      const { placements, unplaced } = schedule(state, { preassigned: [], groups: [{ serviceId: wanted.serviceId, revisionId: wanted.id, taskIds }] }, NOW_MS);
      for (const { taskId, nodeId } of placements) {
        truth.tasks.set(taskId, task({ id: taskId, serviceId: wanted.serviceId, revisionId: wanted.id }));
        truth.tentative.set(taskId, nodeId);
      }
      truth.revisions.set(wanted.id, wanted);
      for (const { explanation } of unplaced) {
        const texts = [...truth.nodes.values()].map((target) => refusalOf(truth, target, wanted));
        assert.deepEqual(new Map(explanation.causes.map((cause) => [cause.text, cause.nodes])), new Map(texts.map((text) => [text, texts.filter((other) => other === text).length])));
        assert.ok(explanation.causes.every((cause, index, causes) => index === 0 || cause.nodes <= (causes[index - 1]?.nodes ?? 0)));
      }
    }), { numRuns: 100 });
  });

  it('decides the same again when the same happens again', () => {
    fc.assert(fc.property(steps, (history) => {
      const decisions = [1, 2].map(() => {
        taskNumber = 0;
        const { state } = play(history);
        return schedule(state, state.pendingWork(), NOW_MS);
      });
      assert.deepEqual(decisions[0], decisions[1]);
    }), { numRuns: 50 });
  });

  it('keeps the tasks of a service on equal nodes within one of each other', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 }), fc.boolean(), (nodeCount, groups, isSpread) => {
      const state = new SchedulerState();
      const wanted = revision({ template: { placement: { spread: isSpread ? ['node.labels.zone'] : [] } } });
      state.upsertRevision(wanted);
      for (let index = 0; index < nodeCount; index += 1) state.upsertNode(node({ id: `n${index}`, labels: { zone: `z${index}` } }));
      const counts = new Map<string, number>();
      for (const [round, count] of groups.entries()) {
        const taskIds = Array.from({ length: count }, (_, index) => `t${round}-${index}`);
        const { placements } = schedule(state, { preassigned: [], groups: [{ serviceId: wanted.serviceId, revisionId: wanted.id, taskIds }] }, NOW_MS);
        assert.equal(placements.length, count);
        for (const { nodeId } of placements) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
        const least = counts.size < nodeCount ? 0 : Math.min(...counts.values());
        assert.ok(Math.max(...counts.values()) - least <= 1);
      }
    }));
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { openAgent, type Agent } from '../../agent/open-agent.ts';
import { containerIdOf } from '../../agent/task-names.ts';
import { FakeEngine, fakeDescription, FakeImages, FakeNetwork } from '../../agent/testing.ts';
import { FakeManager } from '../../agent/testing-manager.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLog } from '../../base/log.ts';
import { isEnded, isWanted, type DesiredState } from '../../model/task.ts';
import { revision } from '../../model/testing.ts';

/** Counts the awaited steps of one agent's life; after the last one nothing it awaits ever comes back. */
class Life {
  #stepsLeft: number;
  constructor(steps: number) { this.#stepsLeft = steps; }

  get isOver(): boolean { return this.#stepsLeft <= 0; }

  end(): void { this.#stepsLeft = 0; }

  /** Passes the step, or never returns. */
  async step(): Promise<void> {
    if (this.isOver) return await new Promise<never>(() => {});
    this.#stepsLeft -= 1;
  }

  /** Dies before, or after, or not at all. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    await this.step();
    const result = await work();
    await this.step();
    return result;
  }

  /** `target` as this life sees it: every listed method is a step before and after it. */
  wrap<T extends object>(target: T, methods: readonly string[]): T {
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== 'function') return value;
        const bound = value.bind(object) as (...args: unknown[]) => unknown;
        if (name === 'subscribe') return (listener: (event: unknown) => void) => bound((event: unknown) => { if (!this.isOver) listener(event); });
        if (!methods.includes(String(name))) return bound;
        return (...args: unknown[]) => this.around(async () => await bound(...args));
      },
    });
  }
}

/** A node whose agent can be cut off at any awaited step. */
class CrashingNode implements Disposable {
  readonly engine = new FakeEngine(new FakeClock());
  readonly network = new FakeNetwork();
  readonly images = new FakeImages();
  readonly manager = new FakeManager();
  readonly #directory = mkdtempSync(join(tmpdir(), 'orch-crash-'));
  #file = 0;
  #clock = new FakeClock();
  life = new Life(0);
  agent: Agent | undefined;

  begin(steps: number, { losesFile = false } = {}): void {
    if (losesFile) this.#file += 1;
    this.life.end();
    this.life = new Life(steps);
    this.#clock = new FakeClock(); // the sleepers of an earlier life never wake
    this.agent = openAgent({
      nodeId: 'node1', dataDir: join(this.#directory, String(this.#file)), clock: this.#clock, log: silentLog, orchVersion: '0', describe: () => fakeDescription,
      engine: this.life.wrap(this.engine, ['create', 'start', 'stop', 'remove']),
      network: this.life.wrap(this.network, ['configure', 'attach', 'detach']),
      images: this.life.wrap(this.images, ['pull']),
      resolver: () => this.life.around(() => Promise.resolve({ nameservers: [], search: [], options: [] })),
    });
    this.manager.disconnect();
    this.manager.connect(this.agent);
  }

  async settle(): Promise<void> { for (let round = 0; round < 12; round += 1) await this.#clock.advance(5); }

  [Symbol.dispose](): void { rmSync(this.#directory, { recursive: true }); }
}

type Event =
  | { readonly type: 'assign'; readonly task: number; readonly desired: DesiredState; readonly image: number }
  | { readonly type: 'want'; readonly task: number; readonly desired: DesiredState }
  | { readonly type: 'delete'; readonly task: number }
  | { readonly type: 'exit'; readonly task: number; readonly code: number }
  | { readonly type: 'crash'; readonly steps: number; /** The agent's file goes with it. */ readonly losesFile: boolean };

const task = fc.nat(4);
const desired = fc.constantFrom<DesiredState>('ready', 'running', 'shutdown', 'remove');
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('assign' as const), task, desired, image: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('want' as const), task, desired }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), task }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('exit' as const), task, code: fc.nat(1) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('crash' as const), steps: fc.nat(14), losesFile: fc.nat(5).map((value) => value === 0) }) },
);

/** What the manager wants, and how a history of events changes it. */
class Wishes {
  readonly desired = new Map<string, DesiredState>();
  #generation = 0;
  readonly #current = new Map<number, string>();

  apply(one: Exclude<Event, { type: 'crash' }>, node: CrashingNode): void {
    const id = this.#current.get(one.task);
    switch (one.type) {
      case 'assign': return id === undefined ? this.#assign(one, node) : undefined;
      case 'want': {
        if (id === undefined || !isLater(this.desired.get(id), one.desired)) return;
        this.desired.set(id, one.desired);
        return node.manager.want(id, one.desired);
      }
      case 'delete': {
        if (id === undefined) return;
        this.#current.delete(one.task);
        this.desired.delete(id);
        return node.manager.remove(id);
      }
      case 'exit': {
        if (id !== undefined && node.engine.find(containerIdOf(id))?.state === 'running') node.engine.exit(containerIdOf(id), one.code);
      }
    }
  }

  /** Task ids are never used twice, as a cluster's. */
  #assign({ task: slot, desired: wish, image }: Extract<Event, { type: 'assign' }>, node: CrashingNode): void {
    this.#generation += 1;
    const id = `task${this.#generation}`;
    this.#current.set(slot, id);
    this.desired.set(id, wish);
    node.manager.assign(id, { desired: wish, revision: revision({ id: `revision${image}`, template: { container: { image: `image${image}:1` } } }) });
  }
}

const order: readonly DesiredState[] = ['ready', 'running', 'shutdown', 'remove'];
const isLater = (from: DesiredState | undefined, to: DesiredState): boolean => from !== undefined && order.indexOf(to) > order.indexOf(from);

function checkConverged(node: CrashingNode, wishes: Wishes): void {
  const { engine, network, manager } = node;
  const assigned = new Map([...wishes.desired].map(([id]) => [containerIdOf(id), id]));
  assert.equal(new Set(engine.created).size, engine.created.length, 'no container is made twice');
  assert.deepEqual(engine.list().map(({ id }) => assigned.get(id)).filter((id) => id === undefined), [], 'no container of a deleted task is left');
  for (const { containerId } of network.attachments()) {
    const container = engine.find(containerId);
    assert.ok(container && container.state !== 'exited', 'no attachment without a living container is left');
  }
  for (const [id, wish] of wishes.desired) {
    const [container, status] = [engine.find(containerIdOf(id)), manager.statuses.get(id)];
    assert.ok(status, `${id} is reported`);
    if (container?.state === 'running') assert.deepEqual([status.state, isWanted(wish)], ['running', true], id);
    else if (wish === 'ready') assert.deepEqual([status.state, container?.state], ['ready', 'created'], id);
    else assert.ok(isEnded(status.state), `${id} is ${status.state} and its container ${container?.state}`);
    if (wish === 'running') assert.ok(container, `${id} has had a container`);
  }
}

describe('an agent that is killed at any point', () => {
  it('comes back to exactly what is assigned: nothing twice, nothing left over', async function () {
    this.timeout(60_000);
    await fc.assert(fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 25 }), async (history) => {
      using node = new CrashingNode();
      const wishes = new Wishes();
      node.begin(Number.POSITIVE_INFINITY);
      for (const one of history) {
        if (one.type === 'crash') {
          await node.settle();
          node.begin(one.steps, one);
        } else {
          if (node.life.isOver) node.manager.disconnect();
          wishes.apply(one, node);
          if (one.type === 'exit') await node.settle();
        }
      }
      await node.settle();
      node.begin(Number.POSITIVE_INFINITY);
      await node.settle();
      checkConverged(node, wishes);
      for (const id of wishes.desired.keys()) node.manager.remove(id);
      await node.settle();
      assert.deepEqual([node.engine.list(), node.network.attachments()], [[], []], 'all goes with the last task');
      await node.agent?.[Symbol.asyncDispose]();
    }), { numRuns: Number(process.env['RUNS'] ?? 40) });
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { seededRandom, type Random } from '../../base/random.ts';
import { planReaper } from '../../manager/orchestrator/plan-reaper.ts';
import { planService } from '../../manager/orchestrator/plan-service.ts';
import { readReaper, readService } from '../../manager/orchestrator/read-service.ts';
import { testCluster, type TestCluster } from '../../manager/testing.ts';
import type { ServiceSpec } from '../../model/service.ts';
import { isWanted } from '../../model/task.ts';
import { checkWriter } from './one-writer.ts';
import { recordingStore, type RecordedWrite } from './recording-store.ts';

const STEPS = 40;
const behaviours = { 'crash:1': { exitCode: 1 }, 'missing:1': { rejected: true }, 'slow:1': { stopMs: 3_000 }, 'slow:2': { stopMs: 700 } };
const images = ['web:1', 'web:2', 'slow:1', 'slow:2', 'crash:1', 'missing:1'];
const names = ['a', 'b', 'c'];

describe('a cluster that anything may happen to', () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    it(`keeps one writer per field and converges once it is left alone (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const writes: RecordedWrite[] = [];
      await using cluster = await testCluster({
        nodes: 3, behaviours, seed, spec: { taskHistoryLimit: seed % 3 }, wrapStore: (store) => recordingStore(store, (write) => writes.push(write)),
      });
      const walk = new Walk(cluster, random, () => { for (const write of writes.splice(0)) checkWriter(write); });
      for (let step = 0; step < STEPS; step += 1) await walk.step();
      await walk.rest();
      walk.checkConverged();
    });
  }
});

class Walk {
  readonly #cluster: TestCluster;
  readonly #random: Random;
  /** What happened, for the message of a failure. */
  readonly #story: string[] = [];

  readonly #checkWrites: () => void;

  constructor(cluster: TestCluster, random: Random, checkWrites: () => void) {
    this.#cluster = cluster;
    this.#random = random;
    this.#checkWrites = checkWrites;
  }

  async step(): Promise<void> {
    const happening = this.#pick<() => Promise<void>>([
      () => this.#create(), () => this.#create(), () => this.#update(), () => this.#update(), () => this.#scale(), () => this.#remove(), () => this.#rollBack(),
      () => this.#exit(), () => this.#exit(), () => this.#power(), () => this.#power(), () => this.#availability(), () => this.#lead(),
      () => this.#cluster.advance(500), () => this.#cluster.advance(3_000), () => this.#cluster.advance(8_000),
    ]);
    await happening();
    await this.#cluster.settle();
    this.#checkWrites();
    this.#checkFixedPoint();
  }

  /** Ends all trouble and gives everything time to come right. */
  async rest(): Promise<void> {
    for (const name of this.#nodeNames()) {
      if (!this.#cluster.agent(name).connected) this.#cluster.agent(name).start();
      await this.#cluster.settle();
      await this.#cluster.updateNode(name, { availability: 'active' });
    }
    for (const { spec } of this.#cluster.control.services()) {
      await this.#cluster.updateService(spec.name, (current) => ({ ...current, template: { ...current.template, container: { ...current.template.container, image: 'web:9' } } }));
    }
    await this.#cluster.advance(120_000);
    await this.#cluster.advance(60_000);
    this.#checkWrites();
  }

  checkConverged(): void {
    const { control, store } = this.#cluster;
    const story = this.#story.join('\n');
    for (const service of control.services()) {
      const { mode, name } = service.spec;
      const wanted = control.tasks().filter((task) => task.serviceId === service.id && isWanted(task.desired));
      assert.equal(wanted.length, mode.type === 'global' ? control.nodes().length : mode.replicas, `tasks of ${name}\n${story}`);
      assert.deepEqual(wanted.filter((task) => task.status.state !== 'running' || task.desired !== 'running' || task.revisionId !== service.revisionId), [], story);
      assert.equal(new Set(wanted.map((task) => mode.type === 'global' ? task.nodeId : task.slot)).size, wanted.length, story);
      assert.notEqual(service.updateStatus?.state, 'updating', `${name} is still updating\n${story}`);
    }
    store.view((view) => {
      assert.deepEqual([...view.service.list()].filter((service) => service.removing), [], story);
      const services = new Set([...view.service.list()].map((service) => service.id));
      assert.deepEqual([...view.task.list()].filter((task) => !services.has(task.serviceId)), [], story);
      for (const name of this.#nodeNames()) for (const id of this.#cluster.agent(name).tasks.keys()) assert.ok(view.task.get(id), `agent ${name} has task ${id}, which is gone\n${story}`);
    });
  }

  /** Planning over what was planned plans nothing. */
  #checkFixedPoint(): void {
    const { store, clock } = this.#cluster;
    store.view((view) => {
      for (const { id } of view.service.list()) {
        const snapshot = readService(view, id, clock.now());
        assert.deepEqual(snapshot ? planService(snapshot).actions : [], [], this.#story.join('\n'));
        const reaper = readReaper(view, id);
        if (reaper) assert.ok(planReaper(reaper).length < 100);
      }
    });
  }

  async #create(): Promise<void> {
    const name = this.#pick(names);
    if (this.#cluster.control.services().some(({ spec }) => spec.name === name)) return;
    const mode: ServiceSpec['mode'] = this.#random.next() < 0.3 ? { type: 'global' } : { type: 'replicated', replicas: this.#number(6) };
    const image = this.#pick(images);
    this.#tell(`create ${name} ${mode.type} ${image}`);
    const policy = { parallelism: this.#number(3), delayMs: this.#pick([0, 1_000]), monitorMs: this.#pick([0, 5_000]), maxFailureRatio: this.#pick([0, 0.5]) };
    await this.#cluster.createService({
      name, mode, template: { container: { image }, restart: { condition: this.#pick(['any', 'on-failure', 'none']), delayMs: this.#pick([0, 1_000]) || 100, maxAttempts: this.#number(3), windowMs: this.#pick([0, 5_000]) } },
      update: { ...policy, order: this.#pick(['stop-first', 'start-first']), failureAction: this.#pick(['pause', 'continue', 'rollback']) },
      rollback: { ...policy, order: this.#pick(['stop-first', 'start-first']), failureAction: this.#pick(['pause', 'continue']) },
    });
  }

  #update(): Promise<void> {
    const image = this.#pick(images);
    return this.#change(`image ${image}`, (spec) => ({ ...spec, template: { ...spec.template, forceUpdate: spec.template.forceUpdate + 1, container: { ...spec.template.container, image } } }));
  }

  #scale(): Promise<void> {
    const replicas = this.#number(7);
    return this.#change(`scale ${replicas}`, (spec) => spec.mode.type === 'global' ? spec : { ...spec, mode: { type: 'replicated', replicas } });
  }

  async #change(what: string, change: (spec: ServiceSpec) => ServiceSpec): Promise<void> {
    const service = this.#service();
    if (!service) return;
    this.#tell(`${service}: ${what}`);
    await this.#cluster.updateService(service, change);
  }

  async #remove(): Promise<void> {
    const service = this.#service();
    if (!service || this.#random.next() < 0.5) return;
    this.#tell(`remove ${service}`);
    await this.#cluster.removeService(service);
  }

  async #rollBack(): Promise<void> {
    const name = this.#service();
    const service = name === undefined ? undefined : this.#cluster.service(name);
    if (!service?.previousSpec) return;
    this.#tell(`roll back ${name}`);
    await this.#cluster.control.updateService(service.id, service.version, service.spec, { rollback: true });
  }

  async #exit(): Promise<void> {
    const agent = this.#cluster.agent(this.#pick(this.#nodeNames()));
    const running = [...agent.tasks.values()].filter(({ status }) => status.state === 'running');
    if (running.length === 0 || !agent.connected) return;
    const code = this.#number(2);
    const { id } = this.#pick(running).assigned;
    this.#tell(`exit ${id} ${code}`);
    agent.exit(id, code);
  }

  async #power(): Promise<void> {
    const name = this.#pick(this.#nodeNames());
    const agent = this.#cluster.agent(name);
    const what = agent.connected ? this.#pick(['kill', 'disconnect', 'goodbye'] as const) : 'start';
    this.#tell(`${what} ${name}`);
    agent[what]();
  }

  async #availability(): Promise<void> {
    const availability = this.#pick(['active', 'pause', 'drain'] as const);
    const name = this.#pick(this.#nodeNames());
    this.#tell(`${availability} ${name}`);
    await this.#cluster.updateNode(name, { availability });
  }

  async #lead(): Promise<void> {
    this.#tell('new leader');
    await this.#cluster.changeLeader();
  }

  #service(): string | undefined {
    const services = this.#cluster.control.services();
    return services.length === 0 ? undefined : this.#pick(services).spec.name;
  }

  #nodeNames(): string[] { return this.#cluster.control.nodes().map((node) => node.spec.name); }
  #number(below: number): number { return Math.floor(this.#random.next() * below); }
  #tell(what: string): void { this.#story.push(`${this.#cluster.clock.now()}: ${what}`); }

  #pick<T>(items: readonly T[]): T {
    const item = items[this.#number(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

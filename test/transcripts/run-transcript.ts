import type { ServiceSpec } from '../../model/service.ts';
import type { Node } from '../../model/node.ts';
import { nodeName } from '../../model/node.ts';
import type { Service } from '../../model/service.ts';
import { isEnded, type Task } from '../../model/task.ts';
import { serviceSpec } from '../../model/testing.ts';
import type { Change } from '../../store/store.ts';
import type { Behaviour } from '../../manager/fake-agent.ts';
import { testCluster, type TestCluster } from '../../manager/testing.ts';

/** A transcript is blocks of commands, a line `----`, and what then happened; text before the first command is its description. */
export type Block = { readonly commands: readonly string[]; readonly expected: string };

/** Images whose containers do something else than run until they are stopped. */
const behaviours: Readonly<Record<string, Behaviour>> = {
  'crash:1': { exitCode: 1 }, 'job:1': { exitCode: 0 }, 'missing:1': { rejected: true }, 'slow:1': { stopMs: 3_000 }, 'hang:1': { hangs: true },
};

export function parseTranscript(text: string): { readonly head: string; readonly blocks: readonly Block[] } {
  const [head = '', ...parts] = text.split(/^(?=\$ )/m).reduce<string[]>((all, part) => {
    const last = all.at(-1);
    if (last?.startsWith('$ ') && !last.includes('----')) all[all.length - 1] = last + part;
    else all.push(part);
    return all;
  }, []);
  const blocks = parts.map((part) => {
    const [commands = '', expected = ''] = part.split(/^----$/m);
    return { commands: commands.trim().split('\n').map((line) => line.replace(/^\$ /, '')), expected: expected.trim() };
  });
  return { head, blocks };
}

export const formatTranscript = (head: string, blocks: readonly Block[]): string =>
  head + blocks.map(({ commands, expected }) => `${commands.map((line) => `$ ${line}`).join('\n')}\n----\n${expected}${expected === '' ? '' : '\n'}`).join('\n');

/** Runs every block's commands and returns the blocks with what happened. */
export async function runTranscript(blocks: readonly Block[]): Promise<Block[]> {
  const [first] = blocks[0]?.commands ?? [];
  const [, count = '1', ...labels] = first?.startsWith('nodes ') ? first.split(' ') : [];
  await using cluster = await testCluster({
    nodes: Number(count), behaviours,
    labels: Object.fromEntries(labels.map((pair) => pair.split(':')).map(([name = '', label = '']) => [name, { tier: label }])),
  });
  const recorder = new Recorder(cluster);
  const done: Block[] = [];
  for (const { commands } of blocks) {
    for (const command of commands) await runCommand(cluster, command);
    done.push({ commands, expected: recorder.take() });
  }
  return done;
}

async function runCommand(cluster: TestCluster, line: string): Promise<void> {
  const [verb = '', subject = '', ...rest] = line.split(' ');
  switch (verb) {
    case 'nodes': return;
    case 'create': await cluster.createService(changeSpec(serviceSpec({ name: subject, template: { restart: { condition: 'any', delayMs: 5_000, maxAttempts: 0, windowMs: 0 } } }), rest)); return;
    case 'update': await cluster.updateService(subject, (spec) => changeSpec(spec, rest)); return;
    case 'rollback': {
      const { id, version, spec } = cluster.service(subject);
      await cluster.control.updateService(id, version, spec, { rollback: true });
      return cluster.settle();
    }
    case 'rm': return cluster.removeService(subject);
    case 'exit': return cluster.exit(subject.split('.')[0] ?? '', slotOf(subject.split('.')[1] ?? ''), Number(rest[0]));
    case 'advance': return cluster.advance(parseSeconds(subject));
    case 'kill': cluster.agent(subject).kill(); return;
    case 'cut': cluster.agent(subject).disconnect(); return cluster.settle();
    case 'goodbye': cluster.agent(subject).goodbye(); return cluster.settle();
    case 'start': cluster.agent(subject).start(); return cluster.settle();
    case 'join': return cluster.join(subject);
    case 'node': return cluster.updateNode(subject, Object.fromEntries(rest.map((pair) => pair.split('='))));
    case 'node-rm': await cluster.control.removeNode(cluster.node(subject).id, { force: true }); return cluster.settle();
    case 'new-leader': return cluster.changeLeader();
    default: throw new Error(`unknown command: ${line}`);
  }
}

const slotOf = (text: string): number | string => /^\d+$/.test(text) ? Number(text) : text;
const parseSeconds = (text: string): number => Math.round(Number(text.replace(/s$/, '')) * 1_000);

/** `replicas=2 image=web:2 update.order=start-first restart.maxAttempts=1 constraint=node.labels.tier==db mode=global`. */
function changeSpec(spec: ServiceSpec, pairs: readonly string[]): ServiceSpec {
  return pairs.reduce((result, pair) => {
    const [, key = '', text = ''] = /^([\w.]+)=(.*)$/.exec(pair) ?? [];
    return changeField(result, key, text);
  }, spec);
}

function changeField(spec: ServiceSpec, key: string, text: string): ServiceSpec {
  const value = /^[\d.]+$/.test(text) ? Number(text) : text;
  const [group, field = ''] = key.split('.');
  const { template } = spec;
  switch (group) {
    case 'replicas': return { ...spec, mode: { type: 'replicated', replicas: Number(text) } };
    case 'mode': return { ...spec, mode: { type: 'global' } };
    case 'image': return { ...spec, template: { ...template, container: { ...template.container, image: text } } };
    case 'constraint': return { ...spec, template: { ...template, placement: { ...template.placement, constraints: [text] } } };
    case 'restart': return { ...spec, template: { ...template, restart: { ...template.restart, [field]: value } } };
    case 'update': return { ...spec, update: { ...spec.update, [field]: value } };
    case 'rollback': return { ...spec, rollback: { ...spec.rollback, [field]: value } };
    default: throw new Error(`unknown field ${key}`);
  }
}

/** Writes down what happens to tasks, updates and nodes. Tasks are named SERVICE.SLOT#N, where N counts the tasks of the slot. */
class Recorder {
  readonly #cluster: TestCluster;
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #lines: string[] = [];

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    cluster.store.subscribe(({ changes }) => { for (const change of changes) this.#record(change); });
  }

  take(): string {
    const lines = this.#lines;
    this.#lines = [];
    return lines.join('\n');
  }

  #record(change: Change): void {
    if (change.kind === 'task') this.#recordTask(change);
    else if (change.kind === 'service') this.#recordService(change);
    else if (change.kind === 'node') this.#recordNode(change);
  }

  #recordTask({ before, after }: Change<'task'>): void {
    const task = after ?? before;
    if (!task) return;
    const name = this.#nameOf(task);
    if (!before) this.#lines.push(`+ ${name}${task.desired === 'ready' ? ' (held ready)' : ''}`);
    else if (!after) this.#lines.push(`- ${name}`);
    else {
      if (before.desired !== after.desired) this.#lines.push(`${name} -> ${after.desired}`);
      if (before.status.state !== after.status.state && (after.status.state === 'running' || isEnded(after.status.state))) this.#lines.push(`${name} ${this.#stateOf(after)}`);
      if (after.status.state === 'pending' && before.status.message !== after.status.message && before.status.state === 'pending') this.#lines.push(`${name} ${after.status.message}`);
    }
  }

  #stateOf({ status, nodeId }: Task): string {
    if (status.state === 'running') return `running on ${this.#nodeName(nodeId)}`;
    return status.exitCode === undefined ? status.state : `${status.state} (${status.exitCode})`;
  }

  #recordService({ before, after }: Change<'service'>): void {
    if (before && !after) this.#lines.push(`- ${before.spec.name}`);
    const status = after?.updateStatus;
    if (!status || status.state === before?.updateStatus?.state) return;
    const message = [...this.#names].reduce((text, [id, name]) => text.replace(id, name), status.message);
    this.#lines.push(`${after.spec.name}: ${status.state}: ${message}${this.#imageNote(before, after)}`);
  }

  #imageNote(before: Service | undefined, after: Service): string {
    const image = after.spec.template.container.image;
    return before && before.spec.template.container.image !== image ? ` (image ${image})` : '';
  }

  #recordNode({ before, after }: Change<'node'>): void {
    if (!after) this.#lines.push(`node ${before ? nodeName(before) : ''} removed`);
    else if (before && before.status.state !== after.status.state) this.#lines.push(`node ${nodeName(after)} ${after.status.state}${after.status.message === '' ? '' : `: ${after.status.message}`}`);
  }

  #nodeName(nodeId: string | undefined): string {
    const node: Node | undefined = this.#cluster.control.nodes().find(({ id }) => id === nodeId);
    return node ? nodeName(node) : 'nowhere';
  }

  #nameOf(task: Task): string {
    return this.#names.getOrInsertComputed(task.id, () => {
      const service = this.#cluster.store.view((view) => view.service.get(task.serviceId)?.spec.name ?? '?');
      const slot = `${service}.${task.slot || this.#nodeName(task.nodeId)}`;
      const count = (this.#counts.get(slot) ?? 0) + 1;
      this.#counts.set(slot, count);
      return `${slot}#${count}`;
    });
  }
}

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

type Command = (cluster: TestCluster, subject: string, rest: readonly string[]) => Promise<void> | void;

const restart = { condition: 'any', delayMs: 5_000, maxAttempts: 0, windowMs: 0 } as const;

const commandTable: Readonly<Record<string, Command>> = {
  nodes: () => { /* read before the cluster is made */ },
  create: async (cluster, name, fields) => { await cluster.createService(changeSpec(serviceSpec({ name, template: { restart } }), fields)); },
  update: (cluster, name, fields) => cluster.updateService(name, (spec) => changeSpec(spec, fields)),
  rollback: async (cluster, name) => {
    const { id, version, spec } = cluster.service(name);
    await cluster.control.updateService(id, version, spec, { rollback: true });
  },
  rm: (cluster, name) => cluster.removeService(name),
  exit: (cluster, slot, [code]) => cluster.exit(slot.split('.')[0] ?? '', slotOf(slot.split('.')[1] ?? ''), Number(code)),
  advance: (cluster, duration) => cluster.advance(parseSeconds(duration)),
  kill: (cluster, name) => cluster.agent(name).kill(),
  cut: (cluster, name) => cluster.agent(name).disconnect(),
  goodbye: (cluster, name) => cluster.agent(name).goodbye(),
  leave: (cluster, name) => cluster.agent(name).goodbye({ forGood: true }),
  start: (cluster, name) => cluster.agent(name).start(),
  join: (cluster, name) => cluster.join(name),
  node: (cluster, name, fields) => cluster.updateNode(name, Object.fromEntries(fields.map((pair) => pair.split('=')))),
  label: (cluster, name, [tier = '']) => cluster.updateNode(name, { labels: { tier } }),
  'node-rm': (cluster, name) => cluster.control.removeNode(cluster.node(name).id, { force: true }),
  'new-leader': (cluster) => cluster.changeLeader(),
};

async function runCommand(cluster: TestCluster, line: string): Promise<void> {
  const [verb = '', subject = '', ...rest] = line.split(' ');
  const command = commandTable[verb];
  if (!command) throw new Error(`unknown command: ${line}`);
  await command(cluster, subject, rest);
  await cluster.settle();
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
  const [group = '', field = ''] = key.split('.');
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
    else this.#recordStep(name, before, after);
  }

  #recordStep(name: string, before: Task, after: Task): void {
    const { state, message } = after.status;
    if (before.desired !== after.desired) this.#lines.push(`${name} -> ${after.desired}`);
    if (before.status.state !== state && (state === 'running' || isEnded(state))) this.#lines.push(`${name} ${this.#stateOf(after)}`);
    if (before.status.state === 'pending' && state === 'pending' && before.status.message !== message) this.#lines.push(`${name} ${message}`);
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

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import type { AnyCommand, CommandContext, FlagSpec, OutputChunk } from '../cli/command.ts';
import { defineCommand } from '../cli/command.ts';
import { openApiClient } from '../cli/http-client.ts';
import { line, prettyJson, table } from '../cli/output.ts';
import type { LabEnvironment } from '../deploy/lab/lab.ts';
import { OrchError } from '../model/errors.ts';

// The lab is loaded when a lab command runs, so that the rest of the command line does not pay for it.
const loadLab = () => import('../deploy/lab/lab.ts');

const environment: LabEnvironment = {
  clock: systemClock,
  launcher: join(import.meta.dirname, 'orch'),
  request: (socketPath, { method, path, body }) => openApiClient({ socketPath }).json({ method: method === 'POST' ? 'POST' : 'GET', path, ...(body === undefined ? {} : { body }) }),
};

const nameFlag = { type: 'string', default: 'lab', help: 'lab to use; several can be up at the same time' } as const satisfies FlagSpec;

const up = defineCommand({
  path: ['lab', 'up'], summary: 'Start a cluster of whole nodes on this host',
  description: 'Every node has its own network, mounts, processes and hostname on a private network; nothing of it touches the host\'s network.',
  examples: ['orch lab up --nodes 3', 'orch lab exec 1 -- orch node ls', 'orch lab down'],
  args: { usage: [] },
  flags: {
    nodes: { type: 'integer', default: 3, min: 1, help: 'nodes to start' },
    managers: { type: 'integer', default: 1, min: 1, help: 'how many of them are managers' },
    name: nameFlag,
    subnet: { type: 'string', default: '10.88.0', help: 'first three bytes of the private network of the nodes' },
    'daemon-arg': { type: 'list', help: 'one more argument for every daemon, such as --log-level=debug' },
  },
  async run(_context, _args, flags) {
    requireRoot();
    const { labUp } = await loadLab();
    const startMs = systemClock.monotonic();
    const lab = await labUp(environment, { name: flags.name, nodes: flags.nodes, managers: flags.managers, subnetPrefix: flags.subnet, daemonArgs: flags['daemon-arg'] });
    return `${lab.nodes.length} nodes are ready after ${((systemClock.monotonic() - startMs) / 1000).toFixed(1)} s. Try \`orch lab exec 1 -- orch node ls\``;
  },
});

const down = defineCommand({
  path: ['lab', 'down'], summary: 'Remove the lab and every trace of it', args: { usage: [] }, flags: { name: nameFlag },
  async run(_context, _args, flags) {
    requireRoot();
    const { labDown } = await loadLab();
    return await labDown(environment, flags.name) ? `The lab "${flags.name}" is gone.` : `There is no lab "${flags.name}".`;
  },
});

const exec = defineCommand({
  path: ['lab', 'exec'], summary: 'Run a command inside a node of the lab', args: { usage: ['NODE', 'COMMAND', '[ARG...]'], passThroughFrom: 1 },
  examples: ['orch lab exec 1 -- orch node ls', 'orch lab exec 2 sh'], flags: { name: nameFlag },
  async run(context, args, flags) {
    const { labExecArgv } = await loadLab();
    return runAttached(context, await labExecArgv(environment, flags.name, { reference: args[0] ?? '', command: withoutDashes(args.slice(1)) }));
  },
});

const client = defineCommand({
  path: ['lab', 'client'], summary: "Run a command on the lab's network as a client outside the cluster", args: { usage: ['COMMAND', '[ARG...]'], passThroughFrom: 0 },
  examples: ['orch lab client curl http://10.88.0.2:8080/'], flags: { name: nameFlag },
  async run(context, args, flags) {
    const { labClientArgv } = await loadLab();
    return runAttached(context, await labClientArgv(flags.name, withoutDashes(args)));
  },
});

const kill = defineCommand({
  path: ['lab', 'kill'], summary: 'Cut the power of a node: all its processes are gone at once, its disk stays', args: { usage: ['NODE...'] }, examples: ['orch lab kill 3'], flags: { name: nameFlag },
  async run(_context, args, flags) {
    const { labKill } = await loadLab();
    for (const reference of args) await labKill(environment, flags.name, reference);
    return undefined;
  },
});

const start = defineCommand({
  path: ['lab', 'start'], summary: 'Start a killed node again on the disk it had', args: { usage: ['NODE...'] }, examples: ['orch lab start 3'],
  flags: { name: nameFlag, 'daemon-arg': { type: 'list', help: 'one more argument for the daemon' } },
  async run(_context, args, flags) {
    const { labStart } = await loadLab();
    for (const reference of args) await labStart(environment, flags.name, { reference, daemonArgs: flags['daemon-arg'] });
    return undefined;
  },
});

const cut = defineCommand({
  path: ['lab', 'cut'], summary: 'Cut a node off (3), or only the link between two (1,3)', args: { usage: ['NODE[,NODE]'] }, examples: ['orch lab cut 3', 'orch lab cut 1,3', 'orch lab heal'], flags: { name: nameFlag },
  async run(_context, args, flags) {
    const { labCut } = await loadLab();
    await labCut(flags.name, args[0] ?? '');
    return undefined;
  },
});

const heal = defineCommand({
  path: ['lab', 'heal'], summary: 'Undo every cut', args: { usage: [] }, flags: { name: nameFlag },
  async run(_context, _args, flags) {
    const { labHeal } = await loadLab();
    await labHeal(flags.name);
    return undefined;
  },
});

const slow = defineCommand({
  path: ['lab', 'slow'], summary: 'Limit the rate at which a node receives, or lift the limit with `off`', args: { usage: ['NODE', 'RATE'] }, flags: { name: nameFlag },
  examples: ['orch lab slow 3 10mbit', 'orch lab slow 3 off'],
  async run(_context, args, flags) {
    const { labSlow } = await loadLab();
    await labSlow(flags.name, args[0] ?? '', args[1] ?? '');
    return undefined;
  },
});

const status = defineCommand({
  path: ['lab', 'status'], summary: 'Show the nodes of the lab', args: { usage: [] },
  flags: { name: nameFlag, json: { type: 'boolean', help: 'as JSON, with pids, directories and API sockets' } },
  async run(_context, _args, flags) {
    const { labStatus } = await loadLab();
    const nodes = await labStatus(flags.name);
    if (flags.json) return prettyJson(nodes);
    return table(['NODE', 'NAME', 'ADDRESS', 'STATE', 'PID', 'API SOCKET'], nodes.map((node) => [String(node.index), node.name, node.address, node.up ? 'up' : 'off', String(node.initPid), node.socket]));
  },
});

/** The commands of `orch lab`. */
export const labCommands: readonly AnyCommand[] = [up, down, exec, client, kill, start, cut, heal, slow, status];

function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new OrchError('ORCH_FORBIDDEN', 'The lab makes namespaces and mounts, which only root may do', { hint: 'Try sudo' });
}

const withoutDashes = (words: readonly string[]): readonly string[] => words[0] === '--' ? words.slice(1) : words;

/** Runs a command on this terminal and ends with its exit code. */
async function* runAttached(context: CommandContext, argv: readonly string[]): AsyncIterable<OutputChunk> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { stdio: 'inherit' });
  context.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const [code, signal]: unknown[] = await once(child, 'close');
  process.exitCode = typeof code === 'number' ? code : 1;
  if (typeof signal === 'string') yield line(`orch: the command was ended by ${signal}`, 'stderr');
  if (process.exitCode !== 0) process.exit();
}

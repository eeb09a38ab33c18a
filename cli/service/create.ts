import { OrchError } from '../../model/errors.ts';
import { randomName } from '../../model/names.ts';
import type { CommandContext, OutputChunk } from '../command.ts';
import { defineCommand } from '../command.ts';
import { getJson } from '../docker-objects.ts';
import { line } from '../output.ts';
import { readNamedFile } from '../read-file.ts';
import { buildServiceSpec, resolveEnvironment } from './build-spec.ts';
import { waitForConvergence } from './converge.ts';
import type { DockerServiceSpec } from './docker-spec.ts';
import { listSpecFlags, scalarSpecFlags } from './spec-flags.ts';

const NO_JOBS = 'jobs are not built yet; --restart-condition none makes tasks that run once';

export const serviceCreate = defineCommand({
  path: ['service', 'create'], summary: 'Create a service and keep it running',
  description: 'A replicated service has --replicas tasks on the nodes that fit best, a global one a task on every node that fits. A task that ends, or whose node\nis lost, is followed by a new one. The command waits until the service runs as wanted and says why when it does not; the service stays either way.\nWords after IMAGE replace the command of the image.',
  examples: [
    'orch service create --name web --replicas 3 demo:1',
    'orch service create --name web --publish mode=host,target=80,published=8080 --limit-memory 128m demo:1',
    'orch service create --name db --constraint node.labels.disk==ssd --env MODE=primary demo:1 serve --port 5432',
    'orch service create --name agent --mode global --mount type=bind,source=/var/log,target=/logs,readonly demo:1 sh -c "tail -f /logs/syslog"',
  ],
  args: { usage: ['IMAGE', '[COMMAND]', '[ARG...]'], passThroughFrom: 1 },
  flags: {
    ...scalarSpecFlags, ...listSpecFlags,
    name: { type: 'string', value: 'NAME', help: 'unique name; one is made up when missing' },
    mode: { type: 'choice', choices: ['replicated', 'global'], default: 'replicated', refused: { 'replicated-job': NO_JOBS, 'global-job': NO_JOBS }, help: 'how many tasks: --replicas of them, or one on each node' },
    replicas: { type: 'integer', min: 0, help: 'tasks to keep running (default 1)' },
    'env-file': { type: 'list', value: 'FILE', help: 'file with a NAME=VALUE on each line' },
  },
  async run(context, args, flags) {
    const [image = '', ...command] = args;
    const fromFiles = (await Promise.all(flags['env-file'].map(readEnvFile))).flat();
    const env = resolveEnvironment([...fromFiles, ...flags.env], (name) => context.environmentVariable(name));
    const name = flags.name ?? randomName((count) => Math.floor(context.random.next() * count));
    const spec = buildServiceSpec({ name, image, args: command, env, mode: readMode(flags.mode, flags.replicas) }, flags);
    return create(context, spec, { quiet: flags.quiet, detach: flags.detach });
  },
});

async function* create(context: CommandContext, spec: DockerServiceSpec, options: { quiet: boolean; detach: boolean }): AsyncIterable<OutputChunk> {
  const created = await getJson<{ ID: string; Warnings?: string[] | null }>(context.client, '/services/create', { method: 'POST', body: spec });
  for (const warning of created.Warnings ?? []) yield line(`warning: ${warning}`, 'stderr');
  yield line(created.ID);
  if (!options.detach) yield* waitForConvergence(context, created.ID, { quiet: options.quiet });
}

function readMode(mode: string, replicas: number | undefined): DockerServiceSpec['Mode'] {
  if (mode === 'replicated') return { Replicated: { Replicas: replicas ?? 1 } };
  if (replicas !== undefined) throw new OrchError('ORCH_USAGE', '--replicas can only be used with --mode replicated');
  return { Global: {} };
}

/** Lines of NAME=VALUE or NAME; empty lines and those that begin with # are left out. */
async function readEnvFile(path: string): Promise<string[]> {
  const text = await readNamedFile('env-file', path);
  return text.split('\n').map((line) => line.trimEnd()).filter((line) => line !== '' && !line.trimStart().startsWith('#'));
}

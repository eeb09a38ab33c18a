import type { CommandContext, OutputChunk } from '../command.ts';
import type { DockerService, DockerTask } from '../docker-objects.ts';
import { getJson, objectPath } from '../docker-objects.ts';
import { line } from '../output.ts';
import { OrchError } from '../../model/errors.ts';
import { tasksOf } from './tasks-of.ts';

const POLL_MS = 50;
/** A service counts as converged once it has stayed so for this long: a process that dies at once never was. */
const STABLE_MS = 1_000;
/** With no progress for this long, and reasons for it, waiting is over. */
const STUCK_MS = 6_000;

/** How an attempt ends that was not asked to. */
const failedStates = new Set(['complete', 'failed', 'rejected']);

export type Convergence = { readonly running: number; readonly desired: number; /** Why the others don't run, each reason once with how often. */ readonly problems: readonly string[]; readonly update?: string };

/** Reads how far a service is from the tasks below; pure. */
export function readConvergence(service: DockerService, tasks: readonly DockerTask[]): Convergence {
  const wanted = tasks.filter((task) => task.DesiredState === 'running' || task.DesiredState === 'ready');
  const current = JSON.stringify(service.Spec.TaskTemplate);
  const running = wanted.filter((task) => task.Status.State === 'running' && task.DesiredState === 'running' && JSON.stringify(task.Spec) === current).length;
  const desired = service.Spec.Mode?.Replicated?.Replicas ?? service.ServiceStatus?.DesiredTasks ?? wanted.length;
  const problems = new Map<string, number>();
  for (const reason of wanted.flatMap((task) => problemOf(task, tasks))) problems.set(reason, (problems.get(reason) ?? 0) + 1);
  return {
    running, desired, problems: [...problems].map(([reason, count]) => count > 1 ? `${reason} (${count} tasks)` : reason),
    ...(service.UpdateStatus?.State === undefined ? {} : { update: service.UpdateStatus.State }),
  };
}

/** Why a wanted task does not run: what its own status says, else how the last attempt in its slot failed. */
function problemOf(task: DockerTask, all: readonly DockerTask[]): string[] {
  const { State, Message = '', Err } = task.Status;
  if (State === 'running') return [];
  if (State === 'pending' && Message.startsWith('no suitable node')) return [Message];
  if (Err !== undefined && Err !== '') return [Err];
  const previous = all.filter((other) => other.Slot === task.Slot && (task.Slot || other.NodeID === task.NodeID) && failedStates.has(other.Status.State))
    .toSorted((a, b) => b.CreatedAt.localeCompare(a.CreatedAt))[0];
  if (!previous) return [];
  const exitCode = previous.Status.ContainerStatus?.ExitCode;
  return [previous.Status.Err || (exitCode === undefined ? previous.Status.State : `its process ended with exit code ${exitCode}`)];
}

/** What is remembered between two looks at a converging service; times are monotonic ms. */
type Progress = { readonly convergedSinceMs: number | undefined; readonly progressAtMs: number; readonly best: number };

/** Pure: whether to go on waiting after this look. */
function judge(before: Progress, now: Convergence, nowMs: number): { verdict: 'wait' | 'done' | 'stuck'; progress: Progress } {
  const isUpdating = now.update === 'updating' || now.update === 'rollback_started';
  const convergedSinceMs = now.running === now.desired && !isUpdating ? before.convergedSinceMs ?? nowMs : undefined;
  const moved = now.running > before.best || now.problems.length === 0 || isUpdating;
  const progress = { convergedSinceMs, progressAtMs: moved ? nowMs : before.progressAtMs, best: Math.max(before.best, now.running) };
  if (convergedSinceMs !== undefined && nowMs - convergedSinceMs >= STABLE_MS) return { verdict: 'done', progress };
  return { verdict: nowMs - progress.progressAtMs >= STUCK_MS ? 'stuck' : 'wait', progress };
}

export type ConvergenceOptions = {
  readonly quiet: boolean;
  /** The service before the update that is waited for: that the update is rolled back is then a failure. */
  readonly updated?: DockerService;
};

/** Waits until a service runs as wanted, printing progress. Throws ORCH_NOT_CONVERGED when it is stuck or was rolled back, with the reasons; the service stays as it is. */
export async function* waitForConvergence(context: CommandContext, serviceId: string, options: ConvergenceOptions): AsyncIterable<OutputChunk> {
  const { client, clock, signal } = context;
  const printer = progressPrinter(context, options.quiet);
  let progress: Progress = { convergedSinceMs: undefined, progressAtMs: clock.monotonic(), best: -1 };
  let rollbackCause = '';
  while (true) {
    const service = await getJson<DockerService>(client, objectPath('services', serviceId), { signal });
    const now = readConvergence(service, await tasksOf(client, service.ID, signal));
    yield* printer.show(now);
    if (now.update === 'paused' || now.update === 'rollback_paused') throw notConverged(service, now, `its update is paused: ${service.UpdateStatus?.Message ?? ''}`);
    if (now.update === 'rollback_started') rollbackCause = service.UpdateStatus?.Message ?? '';
    const { verdict, progress: next } = judge(progress, now, clock.monotonic());
    if (verdict === 'done') {
      if (isRolledBack(service, options.updated)) throw rolledBack(service, rollbackCause);
      break;
    }
    if (verdict === 'stuck') throw notConverged(service, now, now.problems.join('; '));
    progress = next;
    await clock.sleep(POLL_MS, signal);
  }
  yield* printer.finish();
}

/** Whether an update ended in a rollback; what the service says since before the update is of an earlier one. */
const isRolledBack = (now: DockerService, before: DockerService | undefined): boolean =>
  before !== undefined && now.UpdateStatus?.State === 'rollback_completed' && JSON.stringify(now.UpdateStatus) !== JSON.stringify(before.UpdateStatus);

const rolledBack = ({ Spec: { Name } }: DockerService, cause: string): OrchError =>
  new OrchError('ORCH_NOT_CONVERGED', `Service "${Name}" runs as before its update: ${cause || 'the update was rolled back'}`, { hint: `See \`orch service ps ${Name}\` for how its tasks failed` });

const notConverged = (service: DockerService, now: Convergence, why: string): OrchError =>
  new OrchError('ORCH_NOT_CONVERGED', `Service "${service.Spec.Name}" does not run as wanted: ${now.running} of ${now.desired} tasks run (${why})`, {
    hint: `The service stays and orch keeps trying. See \`orch service ps ${service.Spec.Name}\`; remove it with \`orch service rm ${service.Spec.Name}\``,
  });

/** On a terminal one line that changes; elsewhere a line for each change. */
function progressPrinter(context: CommandContext, quiet: boolean): { show(now: Convergence): Iterable<OutputChunk>; finish(): Iterable<OutputChunk> } {
  const onTerminal = context.terminal.stderrIsTerminal;
  let last = '';
  return {
    *show(now) {
      const text = `${now.running} of ${now.desired} tasks run${now.problems.length > 0 ? `; ${now.problems.join('; ')}` : ''}`;
      if (quiet || text === last) return;
      last = text;
      const room = context.terminal.columns - 1;
      yield onTerminal ? { to: 'stderr', bytes: `\r\u001B[K${text.length > room ? `${text.slice(0, room - 1)}…` : text}` } : line(text, 'stderr');
    },
    *finish() {
      if (quiet) return;
      yield line(`${onTerminal ? '\r\u001B[K' : ''}The service runs as wanted (${last}).`, 'stderr');
    },
  };
}

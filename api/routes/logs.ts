import { OrchError, errorMessage } from '../../model/errors.ts';
import type { LogQuery, LogRecord } from '../../model/log-record.ts';
import type { Task } from '../../model/task.ts';
import { isAtLeast } from '../api-version.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { Query } from '../query.ts';
import { requireControl } from '../require-control.ts';
import { param } from '../route.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';
import { stdcopyFrame } from '../stdcopy.ts';
import { streamReply } from '../stream-reply.ts';
import { findContainer } from './find-container.ts';

export const logRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/containers/{id}/logs', answer: containerLogs },
  { method: 'GET', path: '/services/{id}/logs', answer: serviceLogs },
  { method: 'GET', path: '/tasks/{id}/logs', answer: taskLogs },
];

async function containerLogs(context: ApiContext, call: Call): Promise<void> {
  const container = findContainer(context.engine, param(call, 'id'));
  const query = readLogQuery(call.query);
  const records = context.engine.containers.logs(container.id, query, call.signal);
  await sendLogs(context, call, { raw: container.create.tty, lines: lines(records, call, () => '') });
}

async function serviceLogs(context: ApiContext, call: Call): Promise<void> {
  const control = requireControl(context.membership);
  const service = control.service(param(call, 'id'));
  const tasks = control.tasks().filter(({ serviceId, nodeId }) => serviceId === service.id && nodeId !== undefined);
  await sendTaskLogs(context, call, { control, tasks, serviceId: service.id, raw: service.spec.template.container.tty ?? false });
}

async function taskLogs(context: ApiContext, call: Call): Promise<void> {
  const control = requireControl(context.membership);
  const task = control.task(param(call, 'id'));
  await sendTaskLogs(context, call, { control, tasks: [task], raw: control.revision(task.revisionId)?.template.container.tty ?? false });
}

type TaskLogs = { readonly control: ControlPlane; readonly tasks: readonly Task[]; readonly raw: boolean; readonly serviceId?: string };

async function sendTaskLogs(context: ApiContext, call: Call, logs: TaskLogs): Promise<void> {
  const query = readLogQuery(call.query);
  const unavailable: LogLine[] = [];
  const records = logs.control.taskLogs(logs.tasks.map(({ id }) => id), query, {
    signal: call.signal,
    // What is there is shown, and what is not is said where the reader of the logs will see it.
    onUnavailable(task, reason) {
      const words = Buffer.from(`orch: the logs of task ${task.id} on node ${task.nodeId ?? '-'} are not available: ${reason}\n`);
      unavailable.push({ stream: 'stderr', parts: [Buffer.from(call.query.flag('details') ? `${taskDetails(task)} ` : ''), words] });
    },
    ...(logs.serviceId === undefined ? {} : { serviceId: logs.serviceId }),
  });
  await sendLogs(context, call, { raw: logs.raw, lines: withNotices(lines(records, call, ({ task }) => taskDetails(task)), unavailable) });
}

/** What Docker's CLI takes a line's task, service and node from. */
const taskDetails = (task: Task): string =>
  `com.docker.swarm.node.id=${task.nodeId ?? ''},com.docker.swarm.service.id=${task.serviceId},com.docker.swarm.task.id=${task.id}`;

type LogLine = { readonly stream: 'stdout' | 'stderr'; readonly parts: readonly Uint8Array[] };

const NEWLINE = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);

/** Lines as Docker words them: time, then details, then text, each when asked for. */
async function* lines<T extends LogRecord>(records: AsyncIterable<T>, call: Call, details: (record: T) => string): AsyncGenerator<LogLine, void, undefined> {
  const withTime = call.query.flag('timestamps');
  const withDetails = call.query.flag('details');
  for await (const record of records) {
    const prefix = (withTime ? `${record.time} ` : '') + (withDetails ? `${details(record)} ` : '');
    yield { stream: record.stream, parts: [prefix === '' ? NOTHING : Buffer.from(prefix), record.line, record.partial ? NOTHING : NEWLINE] };
  }
}

/** Puts `notices`, which may grow meanwhile, before the next line and at the end. */
async function* withNotices(source: AsyncIterable<LogLine>, notices: LogLine[]): AsyncGenerator<LogLine, void, undefined> {
  for await (const line of source) {
    yield* notices.splice(0);
    yield line;
  }
  yield* notices.splice(0);
}

/** A terminal has one stream and is sent as it is; all else in frames that keep stdout and stderr apart. */
async function sendLogs(context: ApiContext, call: Call, logs: { readonly raw: boolean; readonly lines: AsyncIterable<LogLine> }): Promise<void> {
  const isMultiplexed = !logs.raw && isAtLeast(call.apiVersion, 42);
  await streamReply(context, call, {
    contentType: isMultiplexed ? 'application/vnd.docker.multiplexed-stream' : 'application/vnd.docker.raw-stream',
    chunks: logs.raw ? rawChunks(logs.lines) : frames(logs.lines),
    failure(error) {
      const words = Buffer.from(`Error grabbing logs: ${errorMessage(error)}\n`);
      return logs.raw ? words : stdcopyFrame('error', words);
    },
  });
}

async function* rawChunks(source: AsyncIterable<LogLine>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { parts } of source) yield Buffer.concat(parts);
}

async function* frames(source: AsyncIterable<LogLine>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { stream, parts } of source) yield stdcopyFrame(stream, ...parts);
}

function readLogQuery(query: Query): LogQuery {
  const stdout = query.flag('stdout');
  const stderr = query.flag('stderr');
  if (!stdout && !stderr) throw new OrchError('ORCH_INVALID', 'Bad parameters: you must choose at least one stream');
  return {
    stdout, stderr, follow: query.flag('follow'),
    sinceMs: query.timeMs('since') ?? 0, untilMs: query.timeMs('until') ?? 0, tail: readTail(query),
  };
}

function readTail(query: Query): number {
  const text = query.text('tail') ?? 'all';
  if (text === 'all' || /^-\d+$/.test(text)) return Infinity;
  if (/^\d+$/.test(text)) return Number(text);
  throw new OrchError('ORCH_INVALID', `The query parameter tail must be all or a number of lines, not "${text}"`);
}

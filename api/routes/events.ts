import { OrchError } from '../../model/errors.ts';
import { dockerEvent } from '../convert/event.ts';
import type { HubEvent } from '../event-hub.ts';
import { passes, passesLabels } from '../query.ts';
import type { Filters } from '../query.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';
import { streamReply } from '../stream-reply.ts';

export const eventRoutes: readonly ApiRoute[] = [{ method: 'GET', path: '/events', answer: sendEvents }];

/** Kinds of objects that have events in Docker; those orch has none of simply never match. */
const objectFilters = ['config', 'container', 'daemon', 'image', 'network', 'node', 'plugin', 'secret', 'service', 'volume'];
const lineTypes = ['application/jsonl', 'application/x-ndjson'];

async function sendEvents(context: ApiContext, call: Call): Promise<void> {
  const filters = call.query.filters([...objectFilters, 'event', 'label', 'scope', 'type']);
  const sinceMs = call.query.timeMs('since');
  const untilMs = call.query.timeMs('until');
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs) throw new OrchError('ORCH_INVALID', 'The query parameter since must not be later than until');
  const events = context.events.stream({ signal: call.signal, ...(sinceMs === undefined ? {} : { sinceMs }), ...(untilMs === undefined ? {} : { untilMs }) });
  const accepted = call.request.headers.accept ?? '';
  await streamReply(context, call, { contentType: lineTypes.find((type) => accepted.includes(type)) ?? 'application/json', chunks: eventLines(events, filters) });
}

async function* eventLines(events: AsyncIterable<HubEvent>, filters: Filters): AsyncGenerator<string, void, undefined> {
  for await (const event of events) if (isSent(event, filters)) yield `${JSON.stringify(dockerEvent(event))}\n`;
}

function isSent(event: HubEvent, filters: Filters): boolean {
  const isNamed = (value: string): boolean => event.id.startsWith(value) || (event.attributes['name'] ?? '').startsWith(value);
  // Docker's API has no events of tasks.
  return event.type !== 'task'
    && passes(filters, 'type', (type) => event.type === type) && passes(filters, 'scope', (scope) => event.scope === scope)
    && passes(filters, 'event', (action) => event.action === action) && passesLabels(filters, 'label', event.attributes)
    && objectFilters.every((kind) => passes(filters, kind, (value) => isOfImage(event, kind, value) || (event.type === kind && isNamed(value))));
}

/** `image=web` also means the containers of that image, as in Docker. */
const isOfImage = (event: HubEvent, kind: string, value: string): boolean =>
  kind === 'image' && event.type === 'container' && (event.attributes['image'] === value || (event.attributes['image'] ?? '').startsWith(`${value}:`));

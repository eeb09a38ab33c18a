import type { Container } from '../../model/container.ts';
import { OrchError } from '../../model/errors.ts';
import { dockerContainer, dockerContainerSummary } from '../convert/container.ts';
import type { ContainerSurroundings } from '../convert/container.ts';
import type { NodeEngine } from '../node-engine.ts';
import { passes, passesLabels } from '../query.ts';
import type { Filters } from '../query.ts';
import { param } from '../route.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';
import { findContainer } from './find-container.ts';

export const containerRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/containers/json', answer: listContainers },
  {
    method: 'GET', path: '/containers/{id}/json',
    async answer({ engine }, call) {
      refuseSize(call);
      const container = findContainer(engine, param(call, 'id'));
      return dockerContainer(container, surroundings(engine)(container));
    },
  },
];

const knownFilters = ['ancestor', 'before', 'exited', 'id', 'label', 'name', 'since', 'status'];
const unsupportedFilters = ['expose', 'health', 'isolation', 'is-task', 'network', 'publish', 'volume'];

async function listContainers({ engine, clock }: ApiContext, call: Call): Promise<unknown> {
  refuseSize(call);
  const filters = call.query.filters(knownFilters, unsupportedFilters);
  const limit = call.query.integer('limit') ?? 0;
  const isAll = call.query.flag('all') || limit > 0 || filters.has('status') || filters.has('exited');
  const isListed = containerFilter(engine, filters);
  const listed = engine.containers.list().filter((container) => (isAll || container.state === 'running') && isListed(container))
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
  const around = surroundings(engine);
  return listed.slice(0, limit > 0 ? limit : undefined).map((container) => dockerContainerSummary(container, around(container), clock.now()));
}

function surroundings(engine: NodeEngine): (container: Container) => ContainerSurroundings {
  const attachments = new Map(engine.attachments().map((attachment) => [attachment.containerId, attachment]));
  return ({ id, imageId }) => ({ image: engine.images.find(imageId), attachment: attachments.get(id) });
}

function refuseSize(call: Call): void {
  if (call.query.flag('size')) throw new OrchError('ORCH_UNSUPPORTED', 'orch does not compute the sizes of containers', { hint: 'Leave out the query parameter size' });
}

function containerFilter(engine: NodeEngine, filters: Filters): (container: Container) => boolean {
  const [before, since] = ['before', 'since'].map((name) => (filters.get(name) ?? []).map((reference) => findContainer(engine, reference).createdAtMs));
  const names = (filters.get('name') ?? []).map(namePattern);
  const ancestors = (filters.get('ancestor') ?? []).map((name) => ({ name, id: engine.images.find(name)?.id }));
  return (container) =>
    passes(filters, 'id', (prefix) => container.id.startsWith(prefix))
    && (names.length === 0 || names.some((pattern) => pattern.test(container.name) || pattern.test(`/${container.name}`)))
    && passes(filters, 'status', (status) => container.state === status)
    && passes(filters, 'exited', (code) => container.state === 'exited' && String(container.exitCode) === code)
    && (ancestors.length === 0 || ancestors.some(({ name, id }) => container.create.image === name || container.imageId === id))
    && (before ?? []).every((atMs) => container.createdAtMs < atMs) && (since ?? []).every((atMs) => container.createdAtMs > atMs)
    && passesLabels(filters, 'label', container.create.labels);
}

/** Docker's name filter is a regular expression that may match anywhere. */
function namePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new OrchError('ORCH_INVALID', `The filter name must be a regular expression, not "${text}"`, { cause: error });
  }
}

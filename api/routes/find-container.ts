import type { Container } from '../../model/container.ts';
import { OrchError } from '../../model/errors.ts';
import type { NodeEngine } from '../node-engine.ts';

/** By id, id prefix or name, also with Docker's leading slash. Throws ORCH_NOT_FOUND with Docker's sentence. */
export function findContainer(engine: NodeEngine, reference: string): Container {
  const container = engine.containers.find(reference.replace(/^\//, ''));
  if (container) return container;
  throw new OrchError('ORCH_NOT_FOUND', `No such container: ${reference}`, { hint: 'Containers of other nodes are not seen here; ask their node' });
}

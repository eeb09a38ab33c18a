import type { Meta } from '../model/meta.ts';
import type { IndexNames, Kind, Kinds } from './store.ts';

/** Says under which key of an index an object is found; undefined leaves it out. A unique index admits one object a key. */
export type Index<T> = { readonly key: (object: T) => string | undefined; readonly unique: boolean };

type KindTable = {
  readonly [K in Kind]: {
    /** How sentences name an object of this kind. */
    readonly label: string;
    readonly indexes: { readonly [I in IndexNames[K]]: Index<Kinds[K]> };
  };
};

const many = <T extends Meta>(key: (object: T) => string | undefined): Index<T> => ({ key, unique: false });
const unique = <T extends Meta>(key: (object: T) => string | undefined): Index<T> => ({ key, unique: true });

/** Every stored kind and its indexes. Unique indexes are enforced across writers through keys of their own, see `uniqueKey`. */
export const kinds: KindTable = {
  cluster: { label: 'Cluster', indexes: {} },
  node: { label: 'Node', indexes: {} },
  blockedNode: { label: 'Blocked node', indexes: {} },
  // A service that is being removed gives its name up at once: another may take it while the last tasks stop.
  service: { label: 'Service', indexes: { name: unique((service) => service.removing ? undefined : service.spec.name) } },
  revision: { label: 'Revision', indexes: { service: many((revision) => revision.serviceId) } },
  task: {
    label: 'Task',
    indexes: { service: many((task) => task.serviceId), node: many((task) => task.nodeId), revision: many((task) => task.revisionId) },
  },
  network: { label: 'Network', indexes: { name: unique((network) => network.spec.name) } },
};

/** True when `text` names a stored kind. */
export const isKind = (text: string): text is Kind => Object.hasOwn(kinds, text);

/** All kinds, in the order of the table. */
export const kindNames: readonly Kind[] = Object.keys(kinds).filter(isKind);

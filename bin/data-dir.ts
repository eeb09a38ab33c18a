import { join } from 'node:path';

/** Where the manager of a node keeps its database, below the data directory. */
export const managerDirOf = (dataDir: string): string => join(dataDir, 'manager');

/** Where a node keeps its identity; the manager's data key lies there too. */
export const pkiDirOf = (dataDir: string): string => join(dataDir, 'pki');

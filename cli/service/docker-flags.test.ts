import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { serviceCreate } from './create.ts';
import { updateFlags } from './update.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);
const family = (prefix: string, names: string): string[] => words(names).map((name) => `${prefix}-${name}`);

/** Flags of one value that `docker service create` and `docker service update` share (docker/cli, command service). */
const shared = [
  ...words('credential-spec detach endpoint-mode entrypoint hostname init isolation limit-cpu limit-memory limit-pids log-driver log-opt max-concurrent memory-swap memory-swappiness no-healthcheck no-resolve-image'),
  ...words('oom-score-adj quiet read-only replicas replicas-max-per-node reserve-cpu reserve-memory stop-grace-period stop-signal tty user with-registry-auth workdir cap-add cap-drop'),
  ...family('health', 'cmd interval retries start-interval start-period timeout'), ...family('restart', 'condition delay max-attempts window'),
  ...family('rollback', 'delay failure-action max-failure-ratio monitor order parallelism'), ...family('update', 'delay failure-action max-failure-ratio monitor order parallelism'),
];
/** Lists: whole on create, `-add` and `-rm` on update. */
const lists = words('config constraint container-label dns dns-option dns-search env generic-resource group host label mount network placement-pref publish secret sysctl ulimit');

const docker = {
  create: [...shared, ...lists, ...words('env-file mode name')],
  update: [...shared, ...lists.flatMap((name) => [`${name}-add`, `${name}-rm`]), ...words('args force image rollback')],
};

describe("Docker's flags", () => {
  it('of service create are all known, honoured or refused by name', () => assert.deepEqual(Object.keys(serviceCreate.flags).toSorted(), docker.create.toSorted()));
  it('of service update are all known, honoured or refused by name', () => assert.deepEqual(Object.keys(updateFlags).toSorted(), docker.update.toSorted()));
});

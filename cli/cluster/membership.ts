import { OrchError } from '../../model/errors.ts';
import type { FlagSpecs } from '../command.ts';
import { defineCommand } from '../command.ts';
import type { DockerSwarm } from '../docker-objects.ts';
import { getJson } from '../docker-objects.ts';
import { readNamedFile } from '../read-file.ts';
import { orNothing, nanoseconds, present } from '../service/build-spec.ts';

const DEFAULT_LISTEN = '0.0.0.0:2377';
const later = (what: string) => ({ type: 'refused', help: what, why: `${what} are not built yet` }) as const;

const nodeFlags = {
  'advertise-addr': { type: 'string', value: 'ADDRESS[:PORT]', help: 'address that other nodes reach this one at (default: that of the default route)' },
  'listen-addr': { type: 'string', value: 'ADDRESS[:PORT]', default: DEFAULT_LISTEN, help: 'where this node listens for others when it is a manager' },
  availability: { type: 'choice', choices: ['active', 'pause', 'drain'], default: 'active', help: 'whether this node takes tasks' },
  'data-path-addr': later('separate data paths'),
} as const satisfies FlagSpecs;

const settingFlags = {
  'task-history-limit': { type: 'integer', help: 'ended tasks kept per slot (default 5)' },
  'cert-expiry': { type: 'duration', help: 'life of node certificates (default 2160h)' },
  'dispatcher-heartbeat': { type: 'duration', help: 'time between heartbeats of nodes (default: adapts to their number)' },
  autolock: later('locked managers'), 'external-ca': later('external certificate authorities'), 'max-snapshots': later('Raft settings'), 'snapshot-interval': later('Raft settings'),
} as const satisfies FlagSpecs;

type SettingFlags = { readonly 'task-history-limit': number | undefined; readonly 'cert-expiry': number | undefined; readonly 'dispatcher-heartbeat': number | undefined };

const specOf = (flags: SettingFlags): Record<string, unknown> => present<Record<string, unknown>>({
  Orchestration: orNothing(present({ TaskHistoryRetentionLimit: flags['task-history-limit'] })),
  CAConfig: orNothing(present({ NodeCertExpiry: nanoseconds(flags['cert-expiry']) })),
  Dispatcher: orNothing(present({ HeartbeatPeriod: nanoseconds(flags['dispatcher-heartbeat']) })),
});

export const init = defineCommand({
  path: ['init'], summary: 'Make a new cluster with this node as its first manager', args: { usage: [] },
  description: 'Prints the command that other nodes join with.', examples: ['orch init', 'orch init --advertise-addr 10.0.0.1'],
  flags: { ...nodeFlags, ...settingFlags, 'force-new-cluster': later('recovered clusters'), 'default-addr-pool': later('address pools'), 'default-addr-pool-mask-length': later('address pools'), 'data-path-port': later('separate data paths') },
  async run({ client }, _args, flags) {
    const nodeId = await getJson<string>(client, '/swarm/init', { method: 'POST', body: { ListenAddr: flags['listen-addr'], AdvertiseAddr: flags['advertise-addr'] ?? '', Availability: flags.availability, Spec: specOf(flags) } });
    return `This node (${nodeId}) is now the manager of a new cluster.\n\nTo add a node, run on it:\n\n    ${await joinCommand(client, 'Worker')}\n`;
  },
});

/** The command that joins a node in that role. */
async function joinCommand(client: Parameters<typeof getJson>[0], role: 'Worker' | 'Manager'): Promise<string> {
  const [swarm, information] = await Promise.all([getJson<DockerSwarm>(client, '/swarm'), getJson<{ Swarm: { RemoteManagers?: { Addr: string }[] | null; NodeAddr?: string } }>(client, '/info')]);
  const address = information.Swarm.RemoteManagers?.[0]?.Addr ?? `${information.Swarm.NodeAddr ?? 'HOST'}:2377`;
  return `orch join --token ${swarm.JoinTokens[role]} ${address}`;
}

export const join = defineCommand({
  path: ['join'], summary: 'Join a cluster', args: { usage: ['HOST:PORT'] }, description: 'HOST:PORT is a manager. The token proves the cluster to this node before anything secret is sent.',
  examples: ['orch join --token ORCHTKN-1-... 10.0.0.1:2377', 'orch join --token-file /etc/orch/token 10.0.0.1:2377'],
  flags: { ...nodeFlags, token: { type: 'string', value: 'TOKEN', help: 'join token, from `orch token worker` on a manager' }, 'token-file': { type: 'string', value: 'FILE', help: 'read the token from a file, where other users of this host can\'t see it' } },
  async run({ client }, args, flags) {
    const token = flags.token ?? (flags['token-file'] === undefined ? undefined : (await readNamedFile('token-file', flags['token-file'])).trim());
    if (token === undefined) throw new OrchError('ORCH_USAGE', '--token is required', { hint: 'Get one by `orch token worker` on a manager' });
    await client.json({ method: 'POST', path: '/swarm/join', body: { JoinToken: token, RemoteAddrs: args, ListenAddr: flags['listen-addr'], AdvertiseAddr: flags['advertise-addr'] ?? '', Availability: flags.availability } });
    return 'This node is now part of the cluster.';
  },
});

export const leave = defineCommand({
  path: ['leave'], summary: 'Leave the cluster; the tasks of this node stop', args: { usage: [] }, examples: ['orch leave'],
  flags: { force: { type: 'boolean', short: 'f', help: 'leave even as the last manager, which ends the cluster' } },
  async run({ client }, _args, flags) {
    await client.json({ method: 'POST', path: `/swarm/leave?force=${flags.force}` });
    return 'This node has left the cluster.';
  },
});

export const token = defineCommand({
  path: ['token'], summary: 'Show or change the token that nodes join with', args: { usage: ['worker|manager'], choices: ['worker', 'manager'] }, examples: ['orch token worker', 'orch token --rotate worker'],
  flags: { rotate: { type: 'boolean', help: 'make a new token; the old one is refused from then on' }, quiet: { type: 'boolean', short: 'q', help: 'print only the token' } },
  async run({ client }, args, flags) {
    const role = args[0] === 'worker' ? 'Worker' : args[0] === 'manager' ? 'Manager' : undefined;
    if (role === undefined) throw new OrchError('ORCH_USAGE', `"${args[0] ?? ''}" is not a role`, { hint: 'Write `orch token worker` or `orch token manager`' });
    if (flags.rotate) {
      const swarm = await getJson<DockerSwarm>(client, '/swarm');
      await client.json({ method: 'POST', path: `/swarm/update?version=${swarm.Version.Index}&rotate${role}Token=true`, body: swarm.Spec });
    }
    if (flags.quiet) return (await getJson<DockerSwarm>(client, '/swarm')).JoinTokens[role];
    return `To add a ${args[0] ?? ''} to this cluster, run on it:\n\n    ${await joinCommand(client, role)}\n`;
  },
});

export const clusterUpdate = defineCommand({
  path: ['cluster', 'update'], summary: 'Change settings of the cluster', args: { usage: [] }, examples: ['orch cluster update --task-history-limit 2'], flags: settingFlags,
  async run({ client }, _args, flags) {
    const swarm = await getJson<DockerSwarm>(client, '/swarm');
    await client.json({ method: 'POST', path: `/swarm/update?version=${swarm.Version.Index}`, body: { ...swarm.Spec, ...specOf(flags) } });
    return 'The cluster has changed.';
  },
});

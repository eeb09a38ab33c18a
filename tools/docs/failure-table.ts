/** One failure; `after` may name constants as `{path NAME}`, which become their values in ms. */
export type Failure = { readonly event: string; readonly notices: string; readonly after: string; readonly follows: string };

const HEARTBEAT = 'manager/dispatcher/heartbeat.ts';
const DISPATCHER = 'manager/dispatcher/dispatcher.ts';
const CONNECTION = 'agent/connection/manager-connection.ts';
const STREAM = 'agent/connection/session-stream.ts';

/** What fails, who notices, after how long, and what follows; section 7 of ARCHITECTURE.md. */
export const failures: readonly Failure[] = [
  { event: 'a container\'s process ends', notices: 'its monitor, then the engine (`DirectoryContainerEngine`)', after: 'at once', follows: 'exit file written, status reported, `planRestart` makes a new task in the slot after the restart delay' },
  { event: 'a task can\'t be prepared (image, port, runtime)', notices: 'agent (`planTaskStep`)', after: 'at once', follows: '`rejected` or `failed` with the sentence; restart policy as above' },
  { event: 'no node fits a task', notices: 'scheduling loop', after: 'at once', follows: 'stays `pending` with the reasons of all nodes; tried again at every change that could help' },
  { event: 'a connection to an agent breaks', notices: 'dispatcher (`Liveness`)', after: `{${DISPATCHER} RECONNECT_MS} ms without a new session`, follows: 'node `down`, its tasks are replaced elsewhere at once' },
  { event: 'a node dies or is cut off silently', notices: 'dispatcher (`Liveness`)', after: `{${HEARTBEAT} SILENT_PERIODS} heartbeat periods; the period is {${HEARTBEAT} SHORTEST_MS} ms and grows with more than {${HEARTBEAT} HEARTBEATS_PER_S} nodes`, follows: 'as above; the old tasks may still run behind the cut' },
  { event: 'a node leaves in good order (daemon stopped, upgrade)', notices: 'dispatcher', after: `\`disconnected\` at once, \`down\` after {${DISPATCHER} AWAY_MS} ms; by \`orch leave\` \`down\` at once`, follows: 'its containers run on; nothing is replaced when it is back in time' },
  { event: 'a node comes back', notices: 'dispatcher', after: 'at its first message', follows: '`ready`; a snapshot tells it to stop what was replaced meanwhile' },
  { event: 'a node stays down', notices: 'dispatcher (`startOrphanLoop`)', after: '{manager/dispatcher/orphans.ts ORPHAN_AFTER_MS} ms, or when it is removed', follows: 'its tasks become `orphaned`: what they hold is free again' },
  { event: 'the manager is gone (agent\'s view)', notices: 'agent (`SessionStream`)', after: `a broken connection at once, silence after {${STREAM} MISSED_HEARTBEATS} heartbeat periods`, follows: `containers run on and are still watched; dials again at once, then every {${CONNECTION} BASE_DELAY_MS} to {${CONNECTION} MAX_DELAY_MS} ms; reports everything in the new session` },
  { event: 'the manager\'s process dies', notices: 'whoever starts it again', after: 'leads when its predecessor\'s key has run out: {manager/leader-scope.ts ttlMs} ms', follows: 'goes on from the store; nodes that were ready are `unknown` until heard of' },
  { event: 'a manager begins to lead', notices: 'dispatcher (`startDispatcher`)', after: `nodes get {${HEARTBEAT} SILENT_PERIODS} periods and {${DISPATCHER} FIND_LEADER_MS} ms more to be heard of`, follows: 'then `down`' },
  { event: 'a leader is deposed', notices: 'the store (`Fence`), at its next commit', after: 'at once', follows: 'the commit fails, all leader work stops in one scope (`LeaderScope`)' },
  { event: 'the leader\'s own process is stopped for a while', notices: '`Liveness`', after: 'a wake-up {manager/dispatcher/liveness.ts STALLED_MS} ms late', follows: 'nodes get their time again: messages that came meanwhile have yet to be read' },
  { event: 'the agent\'s daemon dies', notices: 'dispatcher, as a broken connection', after: `{${DISPATCHER} RECONNECT_MS} ms`, follows: 'containers run on under their monitors; a daemon that starts again takes them over (`adoptContainer`)' },
  { event: 'the fork server dies', notices: '`ShimClient`', after: 'at the next request', follows: 'another one is started; containers and monitors are not touched' },
  { event: 'a monitor is killed', notices: 'engine', after: 'at once', follows: 'the container is killed and counts as ended in an unknown way; restart policy as above' },
  { event: 'a stop signal is ignored', notices: 'engine', after: 'the stop grace period (`DEFAULT_STOP_GRACE_MS`: {model/defaults.ts DEFAULT_STOP_GRACE_MS} ms)', follows: 'SIGKILL; a successor waits for a stopping task at most {manager/orchestrator/plan-restart.ts MAX_STOP_WAIT_MS} ms' },
  { event: 'the store can\'t write (full or broken disk)', notices: '`openStore` (`onFailure`)', after: 'at once', follows: 'the call fails and nothing of it is kept; a mirror that can\'t follow ends the daemon; containers run on' },
  { event: 'a certificate nears its end', notices: 'agent (`IdentityRenewal`)', after: '50 to 80 % of its life', follows: 'renewed; a new session is open before the old one ends' },
  { event: 'a node is removed', notices: 'dispatcher (`checkPeer`)', after: 'at once', follows: 'session cut, certificate on the block list, tasks `orphaned`' },
];

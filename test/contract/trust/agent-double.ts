import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openManagerConnection } from '../../../agent/connection/manager-connection.ts';
import type { ManagerConnection, ManagerConnectionOptions } from '../../../agent/connection/manager-connection.ts';
import { saveIdentity } from '../../../agent/identity/identity.ts';
import type { Identity } from '../../../agent/identity/identity.ts';
import type { AgentLink, AgentSession, SessionOpener } from '../../../agent/link.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLog } from '../../../base/log.ts';
import { systemRandom } from '../../../base/random.ts';
import type { OrchError } from '../../../model/errors.ts';
import type { AgentMessage, ManagerMessage } from '../../../proto/session-messages.ts';
import type { TestManager } from './harness.ts';

const description = { hostname: 'w1', platform: { os: 'linux', arch: 'amd64' }, resources: { nanoCpus: 1e9, memoryBytes: 1e9 }, engineVersion: '1', engineLabels: {} };

/** An agent without tasks that remembers what it was told. As the real one, it says hello first, and ends the session before when a new one opens. */
class RecordingAgent implements SessionOpener {
  readonly links: AgentLink[] = [];
  readonly received: ManagerMessage[] = [];
  readonly ends: (Error | undefined)[] = [];
  /** True: the agent ends the session before, as the real one does. False: leaves that to the connection. */
  endsFormer = true;

  get link(): AgentLink | undefined { return this.links.at(-1); }

  openSession(link: AgentLink): AgentSession {
    if (this.endsFormer) this.link?.close(new Error('another session was opened'));
    this.links.push(link);
    link.send(this.hello());
    return {
      receive: (message) => {
        this.received.push(message);
        if (message.type === 'welcome') void this.#beat(link, message.heartbeatPeriodMs);
      },
      closed: (error) => { this.ends.push(error); },
    };
  }

  hello(): AgentMessage {
    return { type: 'hello', description, assignmentEpoch: '', assignmentSequence: 0, orchVersion: 'test', nowMs: 0 };
  }

  async #beat(link: AgentLink, periodMs: number): Promise<void> {
    while (this.link === link && !this.#stopped) {
      link.send({ type: 'heartbeat' });
      await systemClock.sleep(periodMs);
    }
  }

  #stopped = false;
  stop(): void { this.#stopped = true; }
}

export type TestAgent = AsyncDisposable & { readonly agent: RecordingAgent; readonly connection: ManagerConnection; readonly identities: Identity[]; readonly removals: OrchError[]; readonly managersFile: string };

/** Connects a recording agent with this identity. */
export async function connectAgent(manager: TestManager, identity: Identity, options: Partial<ManagerConnectionOptions> = {}): Promise<TestAgent> {
  const agent = new RecordingAgent();
  const identities: Identity[] = [];
  const removals: OrchError[] = [];
  const home = join(manager.folder, `agent-${identity.nodeId}`);
  const managersFile = join(home, 'managers');
  await mkdir(home, { recursive: true });
  await saveIdentity(join(home, 'pki'), identity);
  const connection = await openManagerConnection({
    identity, pkiDir: join(home, 'pki'), managers: [manager.server.address], managersFile, agent, clock: systemClock, random: systemRandom, log: silentLog,
    onIdentity: (renewed) => { identities.push(renewed); }, onRemoved: (error) => { removals.push(error); }, ...options,
  });
  return {
    agent, connection, identities, removals, managersFile,
    async [Symbol.asyncDispose]() {
      agent.stop();
      await connection[Symbol.asyncDispose]();
    },
  };
}

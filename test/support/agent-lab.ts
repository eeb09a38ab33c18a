import { join } from 'node:path';
import { openAgent, type Agent } from '../../agent/open-agent.ts';
import { FakeManager } from '../../agent/testing-manager.ts';
import { fakeDescription } from '../../agent/testing.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import type { NodeNetwork } from '../../network/node-network.ts';
import { ContainerLab } from './container-lab.ts';
import { NetworkLab } from './network-lab.ts';

/** A real node (engine, images, network in a namespace of its own) under an agent, and a stand-in for its manager. Needs root. */
export class AgentLab implements AsyncDisposable {
  readonly manager = new FakeManager();
  readonly containers: ContainerLab;
  readonly net: NetworkLab;
  network: NodeNetwork;
  agent: Agent;

  private constructor(containers: ContainerLab, net: NetworkLab, network: NodeNetwork) {
    this.containers = containers;
    this.net = net;
    this.network = network;
    this.agent = this.#openAgent();
  }

  static async open(): Promise<AgentLab> {
    const containers = await ContainerLab.open();
    const net = await NetworkLab.open();
    return new AgentLab(containers, net, await net.openNetwork());
  }

  /** The whole node ends in good order and begins anew; containers run on. */
  async restart(): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    this.manager.disconnect();
    await this.network[Symbol.asyncDispose]();
    await this.containers.close();
    await this.containers.reopen();
    this.network = await this.net.openNetwork();
    this.agent = this.#openAgent();
  }

  /** Resolves once `isSo` holds; throws with what there is instead after 20 s. */
  async until(isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries += 1) {
      if (tries > 2_000) throw new Error(`never: ${isSo.toString()}; ${JSON.stringify([...this.manager.statuses])}`);
      await systemClock.sleep(10);
    }
  }

  stateOf(taskId: string): string | undefined { return this.manager.statuses.get(taskId)?.state; }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    await this.containers[Symbol.asyncDispose]();
    await Promise.all(this.network.attachments().map(({ containerId }) => this.network.detach(containerId)));
    await this.network[Symbol.asyncDispose]();
    await this.net[Symbol.asyncDispose]();
  }

  #openAgent(): Agent {
    return openAgent({
      nodeId: this.containers.nodeId, engine: this.containers.engine, images: this.containers.images, network: this.network, dataDir: join(this.containers.directory, 'agent'),
      clock: systemClock, log: silentLog, orchVersion: '0', describe: () => fakeDescription,
    });
  }
}

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import type { PublishedPort } from '../../model/service.ts';
import type { Attachment, NodeNetwork } from '../../network/node-network.ts';
import { NetworkLab, NODE_ADDRESS, OUTSIDE_ADDRESS } from '../support/network-lab.ts';

const SUBNET = '10.200.3.0/24';
const GATEWAY = '10.200.3.1';
const id = (number: number): string => number.toString(16).padStart(8, '0').repeat(8);
const port = (publishedPort: number, protocol: 'tcp' | 'udp' = 'tcp', targetPort = 80): PublishedPort => ({ protocol, publishedPort, targetPort, mode: 'host' });
const addressOf = (attachment: Attachment): string => attachment.addresses[0]?.split('/')[0] ?? '';

describe('the network of a node', function () {
  this.timeout(30_000);
  let lab: NetworkLab;
  let network: NodeNetwork;

  beforeEach(async () => {
    lab = await NetworkLab.open();
    network = await lab.openNetwork();
    await network.configure(SUBNET);
  });
  afterEach(async () => {
    await network[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  const attach = async (number: number, ...ports: PublishedPort[]): Promise<Attachment> => await network.attach({ containerId: id(number), mode: 'bridge', ports });

  it('joins containers of a node', async () => {
    const [a, b] = await Promise.all([attach(1), attach(2)]);
    assert.deepEqual([a.addresses, b.addresses, a.gateway], [['10.200.3.2/24'], ['10.200.3.3/24'], GATEWAY]);
    await lab.serve(b.namespacePath, 'tcp', { port: 80, name: 'b' });
    assert.equal(await lab.ask(a.namespacePath, 'tcp', `${addressOf(b)}:80`), `b ${addressOf(a)}`);
    assert.match(await lab.run(a.namespacePath, 'ip', 'link', 'show', 'eth0'), /02:42:0a:c8:03:02/);
  });

  it('hides containers behind the node\'s address outside', async () => {
    const a = await attach(1);
    await lab.serve(lab.outside, 'tcp', { port: 90, name: 'outside' });
    await lab.serve(lab.outside, 'udp', { port: 90, name: 'outside' });
    for (const protocol of ['tcp', 'udp'] as const) assert.equal(await lab.ask(a.namespacePath, protocol, `${OUTSIDE_ADDRESS}:90`), `outside ${NODE_ADDRESS}`);
  });

  for (const bridgeFilter of ['0', '1']) {
    it(`publishes ports to everyone, bridged frames ${bridgeFilter === '0' ? 'past' : 'through'} the packet filter`, async () => {
      const [a, b] = await Promise.all([attach(1, port(8080), port(8053, 'udp', 53)), attach(2)]);
      await lab.inNode('sh', '-c', `f=/proc/sys/net/bridge/bridge-nf-call-iptables; [ ! -e $f ] || echo ${bridgeFilter} > $f`);
      await lab.serve(a.namespacePath, 'tcp', { port: 80, name: 'a' });
      await lab.serve(a.namespacePath, 'udp', { port: 53, name: 'a' });
      const heard = async (netns: string, host: string): Promise<string[]> => [await lab.ask(netns, 'tcp', `${host}:8080`), await lab.ask(netns, 'udp', `${host}:8053`)];
      assert.deepEqual(await heard(lab.outside, NODE_ADDRESS), [`a ${OUTSIDE_ADDRESS}`, `a ${OUTSIDE_ADDRESS}`], 'from outside, with the client\'s address');
      assert.deepEqual(await heard(lab.node, '127.0.0.1'), [`a ${GATEWAY}`, `a ${GATEWAY}`], 'from the node by its loopback');
      assert.deepEqual((await heard(lab.node, NODE_ADDRESS)).map((answer) => answer.split(' ')[0]), ['a', 'a'], 'from the node by its address');
      assert.deepEqual(await heard(b.namespacePath, NODE_ADDRESS), [`a ${GATEWAY}`, `a ${GATEWAY}`], 'from another container');
      assert.deepEqual(await heard(a.namespacePath, NODE_ADDRESS), [`a ${GATEWAY}`, `a ${GATEWAY}`], 'from the container itself');
      assert.deepEqual(await heard(b.namespacePath, addressOf(a)), ['error ECONNREFUSED', 'error ECONNREFUSED'], 'only at the node\'s addresses');
    });
  }

  it('leads from outside to published ports only', async () => {
    const a = await attach(1, port(8080));
    await lab.serve(a.namespacePath, 'tcp', { port: 80, name: 'a' });
    await lab.run(lab.outside, 'ip', 'route', 'add', SUBNET, 'via', NODE_ADDRESS);
    assert.equal(await lab.ask(lab.outside, 'tcp', `${addressOf(a)}:80`), 'error TIMEOUT');
    assert.equal(await lab.ask(lab.outside, 'tcp', `${NODE_ADDRESS}:8080`), `a ${OUTSIDE_ADDRESS}`);
  });

  it('keeps containers from the node\'s loopback', async () => {
    const a = await attach(1);
    await lab.serve(lab.node, 'tcp', { port: 99, name: 'node' });
    await lab.run(a.namespacePath, 'sh', '-c', `echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.0/8 via ${GATEWAY} dev eth0 src ${addressOf(a)}`);
    assert.equal(await lab.ask(a.namespacePath, 'tcp', '127.0.0.1:99'), 'error TIMEOUT');
    assert.equal(await lab.ask(a.namespacePath, 'tcp', `${GATEWAY}:99`), `node ${addressOf(a)}`);
  });

  it('refuses ports in use by containers and programs, and leaves nothing of the refused container', async () => {
    await attach(1, port(8080));
    await lab.serve(lab.node, 'tcp', { port: 9090, name: 'node' });
    const refused = async (publishedPort: number): Promise<boolean> => await network.attach({ containerId: id(2), mode: 'bridge', ports: [port(publishedPort)] })
      .then(() => false, (error: unknown) => isOrchError(error, 'ORCH_IN_USE') && error.message.includes(`${publishedPort}/tcp`));
    assert.deepEqual([await refused(8080), await refused(9090)], [true, true]);
    assert.deepEqual((await lab.leftovers()).links, ['og-00000001']);
    const [free] = (await attach(2, port(0))).ports;
    assert.equal(free?.publishedPort, 30_000);
  });

  it('leaves nothing after detach, and a second one does no harm', async () => {
    await Promise.all([attach(1, port(8080)), attach(2, port(8081, 'udp')), network.attach({ containerId: id(3), mode: 'none', ports: [] })]);
    await Promise.all([1, 2, 3].map((number) => network.detach(id(number))));
    await network.detach(id(1));
    assert.deepEqual(await lab.leftovers(), { links: [], mounts: 0, ports: false });
    assert.deepEqual(network.attachments(), []);
    assert.equal(addressOf(await attach(4)), '10.200.3.4', 'freed addresses rest');
  });

  it('gives a container without network a loopback', async () => {
    const { namespacePath } = await network.attach({ containerId: id(1), mode: 'none', ports: [] });
    await lab.serve(namespacePath, 'tcp', { port: 80, name: 'a' });
    assert.equal(await lab.ask(namespacePath, 'tcp', '127.0.0.1:80'), 'a 127.0.0.1');
    assert.equal((await lab.run(namespacePath, 'ip', '-br', 'link')).trim().split('\n').length, 1);
  });

  it('takes over what it finds when opened again, and traffic never stops', async () => {
    const a = await attach(1, port(8080));
    await lab.serve(a.namespacePath, 'tcp', { port: 80, name: 'a' });
    await network[Symbol.asyncDispose]();
    assert.equal(await lab.ask(lab.outside, 'tcp', `${NODE_ADDRESS}:8080`), `a ${OUTSIDE_ADDRESS}`);
    network = await lab.openNetwork();
    assert.deepEqual(network.attachments(), [a]);
    assert.deepEqual(await attach(1, port(8080)), a);
    assert.equal(await lab.ask(lab.outside, 'tcp', `${NODE_ADDRESS}:8080`), `a ${OUTSIDE_ADDRESS}`);
    assert.equal(addressOf(await attach(2)), '10.200.3.3');
  });

  it('repairs bridge and packet filter when opened again, and deletes what belongs to nobody', async () => {
    const a = await attach(1, port(8080));
    await lab.serve(a.namespacePath, 'tcp', { port: 80, name: 'a' });
    await network[Symbol.asyncDispose]();
    await lab.inNode('sh', '-c', 'nft flush ruleset; ip link del orch0; ip link add og-deadbeef type veth peer name other');
    network = await lab.openNetwork();
    assert.equal(await lab.ask(lab.outside, 'tcp', `${NODE_ADDRESS}:8080`), `a ${OUTSIDE_ADDRESS}`);
    assert.deepEqual((await lab.leftovers()).links, ['og-00000001']);
  });

  it('publishes again after somebody flushed the packet filter', async () => {
    await attach(1, port(8080));
    await lab.inNode('nft', 'flush', 'ruleset');
    const b = await attach(2, port(8081));
    await lab.serve(b.namespacePath, 'tcp', { port: 80, name: 'b' });
    assert.equal(await lab.ask(lab.outside, 'tcp', `${NODE_ADDRESS}:8081`), `b ${OUTSIDE_ADDRESS}`);
    await lab.inNode('nft', 'flush', 'ruleset');
    await network.detach(id(2));
  });

  it('leads a UDP client that never pauses from one container to the next', async () => {
    const a = await attach(1, port(8053, 'udp', 53));
    await lab.serve(a.namespacePath, 'udp', { port: 53, name: 'a' });
    const [outside, local] = [lab.talk(lab.outside, `${NODE_ADDRESS}:8053`), lab.talk(lab.node, '127.0.0.1:8053')];
    assert.deepEqual([(await outside.next()).value, (await local.next()).value], [`a ${OUTSIDE_ADDRESS}`, `a ${GATEWAY}`]);
    await network.detach(id(1));
    const b = await attach(2, port(8053, 'udp', 53));
    await lab.serve(b.namespacePath, 'udp', { port: 53, name: 'b' });
    assert.deepEqual([(await outside.next()).value, (await local.next()).value], [`b ${OUTSIDE_ADDRESS}`, `b ${GATEWAY}`]);
  });

  it('moves to another subnet without disturbing who is attached', async () => {
    const a = await attach(1);
    await network.configure('10.200.9.0/24');
    const b = await attach(2);
    await lab.serve(lab.outside, 'tcp', { port: 90, name: 'outside' });
    for (const one of [a, b]) assert.equal(await lab.ask(one.namespacePath, 'tcp', `${OUTSIDE_ADDRESS}:90`), `outside ${NODE_ADDRESS}`);
    assert.equal(addressOf(b), '10.200.9.2');
    await network.detach(id(1));
    assert.doesNotMatch(await lab.inNode('ip', '-br', 'addr', 'show', 'orch0'), /10\.200\.3\./);
  });

  it('touches nothing that is not its own', async () => {
    await lab.inNode('sh', '-c', 'nft add table ip mine; nft add chain ip mine c; ip link add br9 type bridge');
    const [rules, links] = [await lab.inNode('nft', 'list', 'table', 'ip', 'mine'), await lab.inNode('ip', 'link', 'show', 'br9')];
    const before = await lab.inNode('cat', '/proc/sys/net/bridge/bridge-nf-call-iptables');
    await attach(1, port(8080));
    await network.configure('10.200.9.0/24');
    await network.detach(id(1));
    assert.deepEqual([await lab.inNode('nft', 'list', 'table', 'ip', 'mine'), await lab.inNode('ip', 'link', 'show', 'br9')], [rules, links]);
    assert.equal(await lab.inNode('cat', '/proc/sys/net/bridge/bridge-nf-call-iptables'), before);
  });

  it('attaches fifty containers with few programs', async () => {
    lab.runner.started.length = 0;
    const attachments = await Promise.all(Array.from({ length: 50 }, (_, index) => attach(index + 1, port(0))));
    assert.equal(new Set(attachments.map(addressOf)).size, 50);
    const shared = lab.runner.started.filter(([program]) => program !== 'unshare');
    assert.ok(shared.length <= 4, `${shared.length} programs besides one for each namespace`);
    await Promise.all(attachments.map(({ containerId }) => network.detach(containerId)));
    assert.deepEqual(await lab.leftovers(), { links: [], mounts: 0, ports: false });
  });
});

import { OrchError } from '../../model/errors.ts';
import type { Lab, LabNode } from './lab-state.ts';
import { runOrThrow, runProgram } from './run-program.ts';

const GATEWAY = 254;
const RATE_PATTERN = /^\d+(?:\.\d+)?[kmgt]?(?:bit|bps)$/i;

/** Host side of a node's cable in the underlay namespace. */
const portOf = (node: LabNode): string => `v${node.index}`;

/** Makes the private bridge that joins the nodes, in a namespace of its own; its address .254 is where outside clients sit. */
export async function createUnderlay(lab: Lab): Promise<void> {
  await runOrThrow(['ip', 'netns', 'add', lab.underlay]);
  await runOrThrow(['ip', '-n', lab.underlay, '-batch', '-'], [
    'link set lo up',
    'link add br0 type bridge forward_delay 0',
    `addr add ${lab.subnetPrefix}.${GATEWAY}/24 dev br0`,
    'link set br0 up',
  ].join('\n'));
}

/** Plugs a node into the bridge and gives it its address. */
export async function connectNode(lab: Lab, node: LabNode): Promise<void> {
  await runProgram(['ip', '-n', lab.underlay, 'link', 'del', portOf(node)]); // a dead node's cable goes some time after its namespace
  await runOrThrow(['ip', '-n', lab.underlay, '-batch', '-'], [
    `link add ${portOf(node)} type veth peer name eth0 netns ${node.initPid}`,
    `link set ${portOf(node)} master br0 up`,
  ].join('\n'));
  await runOrThrow(['nsenter', '-t', String(node.initPid), '-n', 'ip', '-batch', '-'], [
    'link set eth0 up',
    `addr add ${node.address}/24 dev eth0`,
    `route add default via ${lab.subnetPrefix}.${GATEWAY}`,
  ].join('\n'));
}

/** Cuts one node off from everything. */
export const cutNode = (lab: Lab, node: LabNode): Promise<string> => runOrThrow(['ip', '-n', lab.underlay, 'link', 'set', portOf(node), 'down']);

/** Cuts the link between two nodes, both ways; each still reaches the others. */
export async function cutPair(lab: Lab, pair: readonly [LabNode, LabNode]): Promise<void> {
  const [first, second] = pair.map(portOf);
  await runOrThrow(['ip', 'netns', 'exec', lab.underlay, 'nft', '-f', '-'], `
    add table bridge cuts
    add set bridge cuts pairs { type ifname . ifname; }
    add chain bridge cuts forward { type filter hook forward priority 0; }
    flush chain bridge cuts forward
    add rule bridge cuts forward iifname . oifname @pairs drop
    add element bridge cuts pairs { "${first}" . "${second}", "${second}" . "${first}" }
  `);
}

/** Undoes every cut. */
export async function healAll(lab: Lab): Promise<void> {
  await runProgram(['ip', 'netns', 'exec', lab.underlay, 'nft', 'delete', 'table', 'bridge', 'cuts']); // fails when no pair was cut
  for (const node of lab.nodes.filter((candidate) => candidate.initPid > 0)) await runOrThrow(['ip', '-n', lab.underlay, 'link', 'set', portOf(node), 'up']);
}

/** Limits what reaches the node to `rate` (tc notation, `10mbit`), or lifts the limit with `off`. */
export async function limitNode(lab: Lab, node: LabNode, rate: string): Promise<void> {
  const device = ['ip', 'netns', 'exec', lab.underlay, 'tc', 'qdisc'];
  if (rate === 'off') {
    await runProgram([...device, 'del', 'dev', portOf(node), 'root']); // fails when there was no limit
    return;
  }
  if (!RATE_PATTERN.test(rate)) throw new OrchError('ORCH_INVALID', `"${rate}" is not a rate`, { hint: 'Write a number and a unit of tc(8), such as 10mbit, or off' });
  await runOrThrow([...device, 'replace', 'dev', portOf(node), 'root', 'tbf', 'rate', rate, 'burst', '32k', 'latency', '200ms']);
}

export const destroyUnderlay = (lab: Lab): Promise<unknown> => runProgram(['ip', 'netns', 'del', lab.underlay]);

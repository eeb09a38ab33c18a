import { NetworkLab } from '../../test/support/network-lab.ts';
import type { PublishedPort } from '../../model/service.ts';

/**
 * How long attaching containers to a node's bridge takes, alone and fifty at once, in ms. Needs root; everything happens in namespaces of its own.
 * Programs are children of this small process here; the daemon starts them through its shim.
 */
const SAMPLES = 15;
const BURST = 50;

const id = (number: number): string => number.toString(16).padStart(8, '0').repeat(8);
const port: PublishedPort = { protocol: 'tcp', targetPort: 80, publishedPort: 0, mode: 'host' };
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const rounded = (value: number): number => Math.round(value * 100) / 100;

async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

await using lab = await NetworkLab.open();
await using network = await lab.openNetwork();
await network.configure('10.200.0.0/22');

const attachOne: number[] = [];
const attachPublished: number[] = [];
const detachOne: number[] = [];
for (let sample = 0; sample < SAMPLES; sample += 1) {
  attachOne.push(await timeMs(() => network.attach({ containerId: id(sample), mode: 'bridge', ports: [] })));
  detachOne.push(await timeMs(() => network.detach(id(sample))));
  attachPublished.push(await timeMs(() => network.attach({ containerId: id(1000 + sample), mode: 'bridge', ports: [port] })));
  await network.detach(id(1000 + sample));
}

const bursts: number[] = [];
const detachBursts: number[] = [];
let programs = 0;
for (let round = 0; round < 3; round += 1) {
  const ids = Array.from({ length: BURST }, (_, index) => id(10_000 + round * BURST + index));
  lab.runner.started.length = 0;
  bursts.push(await timeMs(() => Promise.all(ids.map((containerId) => network.attach({ containerId, mode: 'bridge', ports: [port] })))));
  programs = lab.runner.started.length;
  detachBursts.push(await timeMs(() => Promise.all(ids.map((containerId) => network.detach(containerId)))));
}

process.stdout.write(`${JSON.stringify({
  name: 'network/attach',
  attachMs: rounded(median(attachOne)), attachPublishedMs: rounded(median(attachPublished)), detachMs: rounded(median(detachOne)),
  burst: BURST, burstAttachMs: rounded(median(bursts)), burstDetachMs: rounded(median(detachBursts)), burstPrograms: programs,
})}\n`);

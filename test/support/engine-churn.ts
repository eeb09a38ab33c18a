/** A daemon to be killed at any moment: creates, starts, stops and removes containers of the directory in argv without end. Says `ready` once it began. */
import { isOrchError } from '../../model/errors.ts';
import { ContainerLab } from './container-lab.ts';

const [directory = ''] = process.argv.slice(2);
const lab = await ContainerLab.open({}, directory);
console.log('ready');

async function churn(lane: number): Promise<void> {
  for (let round = 0; ; round += 1) {
    const id = await lab.create(['sh', '-c', round % 2 ? 'exit 3' : 'exec sleep 1000'], { stopGraceMs: 0 });
    await lab.engine.start(id);
    if (round % 3 === lane % 3) continue; // some stay
    if (round % 2) await lab.engine.wait(id, AbortSignal.timeout(20_000));
    await lab.engine.remove(id, { force: true });
  }
}

await Promise.all([0, 1, 2, 3].map((lane) => churn(lane))).catch((error: unknown) => {
  if (!isOrchError(error)) throw error;
});

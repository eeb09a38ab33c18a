/** A daemon to be killed: opens the engine of the directory in argv, starts containers, prints their ids as JSON, and stays. */
import { ContainerLab } from './container-lab.ts';

const [directory = '', count = '1'] = process.argv.slice(2);
const lab = await ContainerLab.open({}, directory);
const ids = await Promise.all(Array.from({ length: Number(count) }, async () => {
  const id = await lab.create(['sh', '-c', 'echo started; while [ ! -e /go ]; do sleep 0.02; done; echo ended; exit 42'], { stopGraceMs: 0 });
  await lab.engine.start(id);
  return id;
}));
console.log(JSON.stringify(ids));
setInterval(() => { /* until killed */ }, 1000);

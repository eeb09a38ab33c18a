import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { commands } from '../commands.ts';
import { runCommandLine } from '../main.ts';
import { FakeApiClient, logFrame, printed, testContext } from '../testing.ts';

const TASK = 'task1aaaaaaaaaaaaaaaaaaaa';
const details = `com.docker.swarm.node.id=n1,com.docker.swarm.service.id=s1,com.docker.swarm.task.id=${TASK}`;
const daemon = (frames: readonly Buffer[]) => new FakeApiClient({
  'GET /services/web': { ID: 's1', Spec: { Name: 'web' } }, 'GET /services/s1': { ID: 's1', Spec: { Name: 'web' } }, 'GET /nodes': [{ ID: 'n1', Spec: { Name: 'node-one' } }],
  [`GET /tasks/${TASK}`]: { ID: TASK, ServiceID: 's1', Slot: 2, NodeID: 'n1' }, 'GET /services/s1/logs': frames, [`GET /tasks/${TASK}/logs`]: frames,
});
const run = (client: FakeApiClient, ...words: readonly string[]) => printed(runCommandLine(commands, ['service', 'logs', ...words], () => testContext(client)));

describe('service logs', () => {
  const frames = [logFrame(1, `${details} hello\n`), logFrame(2, `${details} oh no\n`)];

  it('puts task and node before each line, and keeps the streams apart', async () => {
    const out = await run(daemon(frames), 'web');
    assert.deepEqual([out.stdout, out.stderr, out.error], [`web.2.${TASK.slice(0, 12)}@node-one    | hello\n`, `web.2.${TASK.slice(0, 12)}@node-one    | oh no\n`, undefined]);
  });

  it('leaves out what it is asked to', async () => {
    assert.equal((await run(daemon(frames), '--raw', 'web')).stdout, 'hello\n');
    assert.equal((await run(daemon(frames), '--no-task-ids', 'web')).stdout, 'web.2@node-one    | hello\n');
    assert.match((await run(daemon(frames), '--no-trunc', 'web')).stdout, new RegExp(`^web\\.2\\.${TASK}@`));
  });

  it('shows times before the text', async () => {
    const out = await run(daemon([logFrame(1, `2026-01-31T12:00:00.000000000Z ${details} hello\n`)]), '--timestamps', '--raw', 'web');
    assert.equal(out.stdout, '2026-01-31T12:00:00.000000000Z hello\n');
  });

  it('finds a task when there is no service of that name, and says when there is neither', async () => {
    const client = daemon(frames);
    assert.match((await run(client, TASK)).stdout, /hello/);
    assert.ok(client.calls.some((call) => call.startsWith(`GET /tasks/${TASK}/logs?`)));
    assert.match((await run(daemon([]), 'nothing')).error?.message ?? '', /There is no service or task "nothing"/);
  });

  it('asks for what the flags say', async () => {
    const client = daemon([]);
    await run(client, '--follow', '--tail', '5', '--since', '2026-01-31T12:00:00Z', 'web');
    const query = new URL(`http://x${client.requests.at(-1)?.path ?? ''}`).searchParams;
    assert.deepEqual([query.get('follow'), query.get('tail'), query.get('since'), query.get('stdout'), query.get('stderr')], ['true', '5', '1769860800.000', 'true', 'true']);
    assert.ok(isOrchError((await run(daemon([]), '--tail', 'some', 'web')).error, 'ORCH_USAGE'));
    assert.ok(isOrchError((await run(daemon([]), '--until', '5m', 'web')).error, 'ORCH_UNSUPPORTED'));
  });

  it("ends with the daemon's sentence when a log can't go on", async () => {
    const out = await run(daemon([logFrame(1, `${details} hello\n`), logFrame(3, 'Node n2 is down')]), 'web');
    assert.match(out.stdout, /hello/);
    assert.equal(out.error?.message, 'Node n2 is down');
  });
});

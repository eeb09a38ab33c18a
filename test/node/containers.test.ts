import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { isOrchError, type ErrorCode } from '../../model/errors.ts';
import type { ContainerEvent } from '../../runtime/engine.ts';
import { ContainerLab } from '../support/container-lab.ts';
import { containerRequest } from '../support/container-request.ts';

const forever = ['sleep', '1000'];
const inTime = (): AbortSignal => AbortSignal.timeout(20_000);
const isError = (code: ErrorCode, text: string) => (error: unknown): boolean => {
  assert.ok(isOrchError(error, code), String(error));
  assert.ok(error.message.includes(text), error.message);
  return true;
};

describe('containers', () => {
  let lab: ContainerLab;
  before(async () => { lab = await ContainerLab.open(); });
  after(() => lab[Symbol.asyncDispose]());

  describe('a container', () => {
    it('goes from created to running to exited to gone, and says so', async () => {
      const events: string[] = [];
      const seen: ContainerEvent[] = [];
      using _subscription = lab.engine.subscribe((event) => {
        events.push(event.action);
        seen.push(event);
      });
      const id = await lab.create(['sh', '-c', 'exit 7'], { name: 'life', labels: { a: 'b' } });
      const created = lab.engine.find('life');
      assert.deepEqual([created?.state, created?.pid, created?.startedAtMs, created?.exitCode], ['created', 0, 0, undefined]);
      const started = await lab.engine.start(id);
      assert.ok(started.startedAtMs >= (created?.createdAtMs ?? Infinity) - 1);
      const exited = await lab.engine.wait(id, inTime());
      assert.deepEqual([exited.state, exited.exitCode, exited.pid, exited.oomKilled], ['exited', 7, 0, false]);
      assert.ok(exited.exitedAtMs >= exited.startedAtMs);
      await lab.engine.remove(id, { force: false });
      assert.equal(lab.engine.find(id), undefined);
      assert.deepEqual(events, ['create', 'start', 'die', 'destroy']);
      assert.equal(seen[2]?.container.exitCode, 7);
    });

    it('is found by id, by the beginning of its id, and by name', async () => {
      const id = await lab.create(forever, { name: 'found' });
      for (const text of [id, id.slice(0, 12), 'found']) assert.equal(lab.engine.find(text)?.id, id);
      for (const text of ['foun', 'x', `${id}0`]) assert.equal(lab.engine.find(text), undefined);
      assert.ok(lab.engine.list().some((container) => container.id === id));
      await lab.engine.remove(id, { force: false });
    });

    it('reports the exit code of its command', async () => {
      assert.equal((await lab.run(['true'])).exitCode, 0);
      assert.equal((await lab.run(['sh', '-c', 'exit 255'])).exitCode, 255);
      assert.equal((await lab.run(['sh', '-c', 'kill -9 $$'])).exitCode, 0, 'a first process is deaf to its own signals');
    });

    it('takes entrypoint and environment of its image', async () => {
      const { command: _command, ...request } = containerRequest([]);
      await lab.engine.create({ ...request, args: ['sh', '-c', 'echo $FROM_IMAGE $MINE $HOME $HOSTNAME'], env: ['MINE=too'], hostname: 'h1' });
      await lab.engine.start(request.id);
      await lab.engine.wait(request.id, inTime());
      assert.equal(await lab.output(request.id), 'yes too /root h1\n');
      await lab.engine.remove(request.id, { force: false });
    });

    it('starts again after it has exited, with what it wrote and a log that goes on', async () => {
      const id = await lab.create(['sh', '-c', 'echo run >> /count; cat /count; exit $(wc -l < /count)']);
      for (const exitCode of [1, 2, 3]) {
        await lab.engine.start(id);
        assert.equal((await lab.engine.wait(id, inTime())).exitCode, exitCode);
      }
      assert.equal(await lab.output(id), 'run\n'.repeat(6));
      await lab.engine.remove(id, { force: false });
    });

    it('is started once, however often that is asked for', async () => {
      const id = await lab.create(forever);
      const results = await Promise.all([lab.engine.start(id), lab.engine.start(id), lab.engine.start(id)]);
      assert.equal(new Set(results.map(({ pid }) => pid)).size, 1);
      await lab.engine.remove(id, { force: true });
    });

    it('can be waited for by several, and left alone by one of them', async () => {
      const id = await lab.create(forever);
      await lab.engine.start(id);
      const abort = new AbortController();
      const impatient = lab.engine.wait(id, abort.signal);
      const patient = lab.engine.wait(id, inTime());
      abort.abort(new Error('impatient'));
      await assert.rejects(impatient, /impatient/);
      assert.equal(lab.engine.find(id)?.state, 'running');
      await lab.engine.kill(id, 'KILL');
      assert.equal((await patient).exitCode, 137);
      await lab.engine.remove(id, { force: false });
    });
  });

  describe('a container that cannot be', () => {
    it('names what is missing or taken', async () => {
      await assert.rejects(lab.create(['sh'], { image: 'nope' }), isError('ORCH_NOT_FOUND', 'nope'));
      const id = await lab.create(['sh'], { name: 'taken' });
      await assert.rejects(lab.create(['sh'], { name: 'taken' }), isError('ORCH_NAME_TAKEN', '"taken"'));
      await lab.engine.remove(id, { force: false });
      await assert.rejects(lab.create(['sh'], { name: 'a b' }), isError('ORCH_INVALID', '"a b"'));
      await assert.rejects(lab.create(['sh'], { user: 'nobody-here' }), isError('ORCH_INVALID', '"nobody-here"'));
      await assert.rejects(lab.create(['sh'], { mounts: [{ type: 'bind', source: '/does/not/exist', target: '/a', readOnly: false }] }), isError('ORCH_INVALID', '/does/not/exist'));
      await assert.rejects(lab.create(['sh'], { mounts: [{ type: 'volume', source: 'data', target: '/a', readOnly: false }] }), isError('ORCH_UNSUPPORTED', '"data"'));
      assert.equal(lab.engine.find('taken'), undefined);
    });

    it('is one of two that are made at once with the same id, and does not harm the other', async () => {
      const request = containerRequest(forever);
      const results = await Promise.allSettled([lab.engine.create(request), lab.engine.create({ ...request, name: 'second' })]);
      assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected']);
      await lab.engine.start(request.id);
      await lab.engine.remove(request.id, { force: true });
      await lab.engine.remove(await lab.create(forever, { name: 'second' }), { force: false });
    });

    it('leaves no directory and no name when its creation fails', async () => {
      await assert.rejects(lab.create(['sh'], { name: 'failing', user: 'nobody-here' }));
      assert.deepEqual(readdirSync(join(lab.directory, 'data/containers')), lab.engine.list().map(({ id }) => id));
      await lab.engine.remove(await lab.create(['sh'], { name: 'failing' }), { force: false });
    });

    it('fails to start with 127 for a missing command and 126 for one that cannot be executed', async () => {
      for (const [command, exitCode] of [['nope', 127], ['/nope', 127], ['/etc/passwd', 126], ['/etc', 126]] as const) {
        const id = await lab.create([command]);
        await assert.rejects(lab.engine.start(id), (error) => {
          assert.ok(isOrchError(error, 'ORCH_RUNTIME'));
          assert.equal(error.details['exitCode'], exitCode, error.message);
          assert.ok(error.message.includes(command), error.message);
          return true;
        });
        const container = lab.engine.find(id);
        assert.equal(container?.state, 'created');
        assert.ok(container.error?.includes(command));
        assert.equal(await lab.output(id), '', 'the runtime\'s words are not the container\'s output');
        await lab.engine.remove(id, { force: false });
      }
    });

    it('fails to start with the runtime\'s reason when its network namespace is missing', async () => {
      const id = await lab.create(forever, { network: { mode: 'namespace', path: '/run/netns/orch-none' } });
      await assert.rejects(lab.engine.start(id), isError('ORCH_RUNTIME', 'orch-none'));
      await lab.engine.remove(id, { force: false });
    });

    it('is not known to any call afterwards', async () => {
      const unknown = 'f'.repeat(64);
      await assert.rejects(lab.engine.start(unknown), isError('ORCH_NOT_FOUND', 'ffff'));
      await assert.rejects(lab.engine.stop(unknown), isError('ORCH_NOT_FOUND', 'ffff'));
      await assert.rejects(lab.engine.wait(unknown, inTime()), isError('ORCH_NOT_FOUND', 'ffff'));
      await lab.engine.remove(unknown, { force: true });
    });
  });

  describe('stopping a container', () => {
    const polite = ['sh', '-c', 'trap "echo bye; exit 3" TERM; trap "exit 4" USR1; echo ready; while :; do sleep 0.05; done'];

    it('sends the stop signal and waits for the end', async () => {
      const id = await startReady(polite);
      const stopped = await lab.engine.stop(id);
      assert.deepEqual([stopped.state, stopped.exitCode], ['exited', 3]);
      assert.equal(await lab.output(id), 'ready\nbye\n');
      assert.equal((await lab.engine.stop(id)).exitCode, 3, 'stopping again is no error');
      await lab.engine.remove(id, { force: false });
    });

    it('takes the signal that the request names', async () => {
      const id = await startReady(polite, { stopSignal: 'SIGUSR1' });
      assert.equal((await lab.engine.stop(id)).exitCode, 4);
      await lab.engine.remove(id, { force: false });
    });

    it('kills after the grace time', async () => {
      const id = await startReady(['sh', '-c', 'trap "" TERM; echo ready; sleep 1000'], { stopGraceMs: 50 });
      assert.equal((await lab.engine.stop(id)).exitCode, 137);
      await lab.engine.remove(id, { force: false });
    });

    it('can be any signal, but needs a container that runs', async () => {
      const id = await startReady(polite);
      await lab.engine.kill(id, 'SIGUSR1');
      assert.equal((await lab.engine.wait(id, inTime())).exitCode, 4);
      await assert.rejects(lab.engine.kill(id, 'TERM'), isError('ORCH_CONFLICT', 'not running'));
      await assert.rejects(lab.engine.kill(id, 'NOPE'), isError('ORCH_INVALID', 'NOPE'));
      await lab.engine.remove(id, { force: false });
    });

    async function startReady(command: readonly string[], changes = {}): Promise<string> {
      const id = await lab.create(command, changes);
      await lab.engine.start(id);
      for await (const _record of lab.engine.logs(id, { stdout: true, stderr: true, follow: true, sinceMs: 0, untilMs: 0, tail: Infinity }, inTime())) break;
      return id;
    }
  });

  describe('removing a container', () => {
    it('is refused while it runs, unless forced', async () => {
      const id = await lab.create(forever, { name: 'busy' });
      await lab.engine.start(id);
      await assert.rejects(lab.engine.remove(id, { force: false }), isError('ORCH_IN_USE', '"busy"'));
      await lab.engine.remove(id, { force: true });
      assert.equal(lab.engine.find(id), undefined);
    });

    it('leaves nothing behind: no process, mount, cgroup, socket or directory', async () => {
      const id = await lab.create(['sh', '-c', 'sleep 1000 & sleep 1000']);
      const { pid } = await lab.engine.start(id);
      assert.ok(existsSync(`/proc/${pid}`));
      await lab.engine.remove(id, { force: true });
      assert.ok(!existsSync(`/proc/${pid}`));
      assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(lab.directory));
      assert.deepEqual(readdirSync(join(lab.directory, 'data/containers')), []);
      assert.deepEqual(readdirSync(join(lab.directory, 'run/m')), []);
      assert.deepEqual(readdirSync(join(lab.directory, 'run/runtime')), []);
      for (const controller of readdirSync('/sys/fs/cgroup')) assert.ok(!existsSync(`/sys/fs/cgroup/${controller}/orch/${lab.nodeId}/${id}`), controller);
    });

    it('frees its image', async () => {
      await using own = await ContainerLab.open();
      const id = await own.create(forever);
      await assert.rejects(own.create(['sh'], { user: 'nobody-here' }));
      await assert.rejects(own.images.remove('busybox', { force: false }), isError('ORCH_IN_USE', ''));
      await own.engine.remove(id, { force: false });
      assert.equal((await own.images.remove('busybox', { force: false })).deleted.length > 0, true);
    });

    it('ends the waiting for one that never ran', async () => {
      const id = await lab.create(forever, { name: 'never' });
      const waiting = assert.rejects(lab.engine.wait(id, inTime()), isError('ORCH_NOT_FOUND', '"never"'));
      await lab.engine.remove(id, { force: false });
      await waiting;
    });
  });

  describe('the host', () => {
    it('sees no mount of a running container, and no descriptor of orch is in it', async () => {
      const id = await lab.create(forever);
      const { pid } = await lab.engine.start(id);
      // The runtime's last step, replacing itself by the command, may be still to come.
      while (!readlinkSync(`/proc/${pid}/exe`).endsWith('/bin/busybox')) await new Promise((resolve) => { setTimeout(resolve, 1); });
      assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(id));
      assert.ok(!readFileSync('/proc/1/mountinfo', 'utf8').includes(id));
      const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\[.*/, ''));
      assert.deepEqual(descriptors, ['/dev/null', 'pipe:', 'pipe:']);
      await lab.engine.remove(id, { force: true });
    });
  });
});

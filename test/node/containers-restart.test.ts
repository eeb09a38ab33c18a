import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Container } from '../../runtime/engine.ts';
import { ContainerLab } from '../support/container-lab.ts';

/** Waits for a file, then ends with 42. */
const waiting = ['sh', '-c', 'echo started; while [ ! -e /go ]; do sleep 0.02; done; echo ended; exit 42'];
const inTime = (): AbortSignal => AbortSignal.timeout(20_000);

describe('restarts', () => {
  let lab: ContainerLab;
  beforeEach(async () => { lab = await ContainerLab.open(); });
  afterEach(() => lab[Symbol.asyncDispose]());

  async function startWaiting(): Promise<string> {
    const id = await lab.create(waiting);
    await lab.engine.start(id);
    return id;
  }

  /** Lets a waiting container end: writes into its root. */
  function letEnd(id: string): void {
    writeFileSync(`/proc/${lab.engine.find(id)?.pid || processOf(id)}/root/go`, '');
  }

  const processOf = (id: string): number => Number(readFileSync(join(lab.directory, 'data/containers', id, 'pid'), 'utf8'));

  async function eventually(condition: () => boolean): Promise<void> {
    for (const signal = inTime(); !condition();) {
      signal.throwIfAborted();
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
  }

  /** Pids of this lab's monitors or server, by the name of their process and a descriptor or argument that is theirs. */
  function shimProcess(): number {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const command = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
      const parent = command === '' ? '' : readFileSync(`/proc/${pid}/stat`, 'utf8');
      if (command.includes(`${lab.directory}/run/shim.sock`) && !parent.includes('(orch-monitor)')) return Number(pid);
    }
    throw new Error('no server');
  }

  function monitorOf(id: string): number {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${processOf(id)}/status`, 'utf8'))?.[1]);
  }

  describe('a new daemon on the same directories', () => {
    it('takes over containers that run, with their later end', async () => {
      const id = await startWaiting();
      const before = lab.engine.find(id);
      await lab.close();
      await lab.reopen();
      assert.deepEqual(lab.engine.find(id), before);
      letEnd(id);
      assert.equal((await lab.engine.wait(id, inTime())).exitCode, 42);
      assert.equal(await lab.output(id), 'started\nended\n');
    });

    it('learns what ended while there was none', async () => {
      const id = await startWaiting();
      await lab.close();
      const pid = processOf(id);
      letEnd(id);
      await eventually(() => !existsSync(`/proc/${pid}`) && existsSync(join(lab.directory, 'data/containers', id, 'exit')));
      await lab.reopen();
      const container = lab.engine.find(id);
      assert.deepEqual([container?.state, container?.exitCode], ['exited', 42]);
      assert.equal(await lab.output(id), 'started\nended\n');
      await lab.engine.remove(id, { force: false });
    });

    it('is preceded by an orderly end of the old one: starts are finished, waits are rejected, calls refused', async () => {
      const id = await lab.create(waiting);
      const old = lab.engine;
      const waits = [old.wait(id, inTime()), old.stop(await startWaiting(), 60_000)].map((promise) => assert.rejects(promise, /closed/));
      const starting = old.start(id);
      await lab.close();
      await Promise.all(waits);
      await assert.rejects(old.start(id), /closed/);
      assert.equal((await starting).state, 'running');
      await lab.reopen();
      assert.ok(lab.engine.list().every(({ state }) => state === 'running'));
    });

    it('keeps containers that were created and that have exited', async () => {
      const created = await lab.create(waiting, { name: 'created' });
      const exited = await lab.create(['sh', '-c', 'exit 5'], { name: 'exited' });
      await lab.engine.start(exited);
      await lab.engine.wait(exited, inTime());
      const before = lab.engine.list();
      await lab.close();
      await lab.reopen();
      assert.deepEqual(new Set(lab.engine.list()), new Set(before));
      await assert.rejects(lab.create(waiting, { name: 'created' }), /in use/);
      await lab.engine.start(created);
      await lab.engine.remove(created, { force: true });
    });

    it('does not lose a container when the old one was killed', async function () {
      this.timeout(120_000);
      await lab.close();
      const daemon = spawn(process.execPath, [join(import.meta.dirname, '../support/engine-process.ts'), lab.directory, '20'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = await once(daemon.stdout, 'data');
      const ids = JSON.parse(String(line)) as string[];
      daemon.kill('SIGKILL');
      await once(daemon, 'exit');
      await lab.reopen();
      assert.deepEqual(new Set(lab.engine.list().map(({ id, state }) => `${state} ${id}`)), new Set(ids.map((id) => `running ${id}`)));
      for (const id of ids) letEnd(id);
      const ends = await Promise.all(ids.map((id) => lab.engine.wait(id, inTime())));
      assert.ok(ends.every(({ exitCode }) => exitCode === 42));
      for (const id of ids) assert.equal(await lab.output(id), 'started\nended\n');
    });

    it('removes what a crash left of containers that nobody knows', async () => {
      const id = await startWaiting();
      const pid = processOf(id);
      await lab.close();
      rmSync(join(lab.directory, 'data/containers.journal'));
      await lab.reopen();
      assert.deepEqual(lab.engine.list(), []);
      assert.ok(!existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z'));
      assert.deepEqual(readdirSync(join(lab.directory, 'data/containers')), []);
      assert.deepEqual(readdirSync(join(lab.directory, 'run/runtime')), []);
    });
  });

  it('clears away what the last daemon had no time for', async () => {
    const id = await lab.create(['true']);
    await lab.engine.start(id);
    await lab.engine.wait(id, inTime());
    await lab.close();
    const traces = [join(lab.directory, 'run/runtime', id), ...readdirSync('/sys/fs/cgroup').map((controller) => `/sys/fs/cgroup/${controller}/orch/${lab.nodeId}/${id}`)];
    for (const path of traces) mkdirSync(path, { recursive: true });
    await lab.reopen();
    await lab.engine.start(id);
    assert.equal((await lab.engine.wait(id, inTime())).exitCode, 0);
    await lab.engine.remove(id, { force: false });
    for (const path of traces) assert.ok(!existsSync(path), path);
  });

  describe('after a reboot', () => {
    it('what ran has ended in an unknown way and can be started again', async () => {
      const id = await startWaiting();
      await lab.close();
      process.kill(monitorOf(id), 'SIGKILL');
      process.kill(processOf(id), 'SIGKILL');
      rmSync(join(lab.directory, 'run'), { recursive: true });
      await lab.reopen();
      const container = lab.engine.find(id);
      assert.deepEqual([container?.state, container?.exitCode], ['exited', undefined]);
      assert.match(container?.error ?? '', /Nobody saw/);
      const again = await lab.engine.start(id);
      assert.deepEqual([again.state, again.error], ['running', undefined]);
      letEnd(id);
      assert.equal((await lab.engine.wait(id, inTime())).exitCode, 42);
    });
  });

  describe('when the fork server is killed', () => {
    it('containers run on, their end and output are known, and new ones start', async () => {
      const id = await startWaiting();
      process.kill(shimProcess(), 'SIGKILL');
      assert.deepEqual(await lab.run(['echo', 'new']), { exitCode: 0, oomKilled: false, stdout: 'new\n', stderr: '' });
      assert.equal(lab.engine.find(id)?.state, 'running');
      letEnd(id);
      assert.equal((await lab.engine.wait(id, inTime())).exitCode, 42);
      assert.equal(await lab.output(id), 'started\nended\n');
    });

    it('a start that is under way succeeds or fails, but is not forgotten', async () => {
      const ids = await Promise.all(Array.from({ length: 8 }, () => lab.create(waiting)));
      const starts = ids.map((id) => lab.engine.start(id));
      await new Promise((resolve) => { setTimeout(resolve, 20); });
      process.kill(shimProcess(), 'SIGKILL');
      const results = await Promise.allSettled(starts);
      for (const [index, id] of ids.entries()) {
        assert.equal(lab.engine.find(id)?.state, results[index]?.status === 'fulfilled' ? 'running' : 'created');
      }
    });
  });

  describe('when a monitor is killed', () => {
    it('its container is killed and has ended in an unknown way', async () => {
      const id = await startWaiting();
      const pid = processOf(id);
      process.kill(monitorOf(id), 'SIGKILL');
      const container: Container = await lab.engine.wait(id, inTime());
      assert.deepEqual([container.state, container.exitCode], ['exited', undefined]);
      assert.ok(!existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z'));
      await lab.engine.remove(id, { force: false });
    });
  });
});

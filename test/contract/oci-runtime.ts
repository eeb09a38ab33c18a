import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { newContainerId } from '../../base/ids.ts';
import type { ProgramRunner } from '../../base/program-runner.ts';
import { systemRandom } from '../../base/random.ts';
import { isOrchError } from '../../model/errors.ts';
import type { ContainerCreate } from '../../runtime/engine.ts';
import { buildSpec } from '../../runtime/oci/build-spec.ts';
import { readHostFacts } from '../../runtime/oci/host-facts.ts';
import { lastRuntimeMessage } from '../../runtime/oci/runtime-message.ts';
import { formatOciSpec } from '../../runtime/oci/oci-spec.ts';
import type { OciBundle, OciRuntime } from '../../runtime/oci/oci-runtime.ts';
import { makeBusyboxRoot } from '../support/busybox-root.ts';
import { containerRequest, emptyImageConfig } from '../support/container-request.ts';
import { skipTest } from '../support/skip.ts';

export type RuntimeSubject = { readonly runtime: OciRuntime; /** Runs programs where the runtime works. */ readonly runner: ProgramRunner };

const SIGTERM = 15;
const SIGKILL = 9;
const forever = ['sleep', '1000'];

/** What every OCI runtime must do; `open` gives the reason when it cannot work on this machine. */
export function ociRuntimeContract(name: string, open: (root: string) => Promise<RuntimeSubject | string>): void {
  describe(`the OCI runtime ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'orch-oci-'));
    const used: string[] = [];
    let subject: RuntimeSubject;

    before(async function () {
      const opened = await open(join(folder, 'state'));
      if (typeof opened === 'string') skipTest(this, opened);
      subject = opened;
    });
    after(async () => {
      for (const id of used) await subject.runtime.delete(id, { force: true });
      rmSync(folder, { recursive: true });
    });

    async function bundle(command: readonly string[], changes: Partial<ContainerCreate> = {}): Promise<OciBundle> {
      const create = containerRequest(command, { id: newContainerId(systemRandom), ...changes });
      const path = join(folder, create.id);
      await mkdir(path);
      makeBusyboxRoot(join(path, 'rootfs'));
      const names = join(path, 'names');
      await writeFile(names, '');
      const spec = buildSpec({
        create, image: emptyImageConfig, host: await readHostFacts(), cgroupsPath: `/orch/contract-${process.pid}/${create.id}`, mounts: [],
        nameFiles: { hosts: names, hostname: names, resolvConf: names }, userFiles: { passwd: '', group: '' },
      });
      await writeFile(join(path, 'config.json'), formatOciSpec(spec));
      used.push(create.id);
      return { id: create.id, bundle: path, pidFile: join(path, 'pid'), log: join(path, 'log') };
    }

    const refused = (promise: Promise<unknown>, pattern: RegExp): Promise<void> => assert.rejects(promise, (error) => {
      assert.ok(isOrchError(error, 'ORCH_RUNTIME'), String(error));
      assert.match(error.message, pattern);
      return true;
    });

    async function becomes(id: string, status: string): Promise<void> {
      for (const signal = AbortSignal.timeout(10_000); (await subject.runtime.state(id))?.status !== status;) {
        signal.throwIfAborted();
        await new Promise((resolve) => { setTimeout(resolve, 10); });
      }
    }

    it('says its name and version', () => {
      assert.equal(subject.runtime.name, name);
      assert.match(subject.runtime.version, /^\d+\.\d+/);
    });

    it('runs a container in one step', async () => {
      const box = await bundle(forever);
      const { exitCode, stderr } = await subject.runner.run(subject.runtime.runCommand(box));
      assert.equal(exitCode, 0, stderr);
      const state = await subject.runtime.state(box.id);
      assert.deepEqual([state?.status, state?.bundle], ['running', box.bundle]);
      assert.ok((state?.pid ?? 0) > 0);
      await refused(subject.runtime.delete(box.id, { force: false }), /could not delete/);
      await subject.runtime.kill(box.id, SIGKILL);
      await becomes(box.id, 'stopped');
      await refused(subject.runtime.kill(box.id, SIGTERM), /could not kill/);
      await subject.runtime.delete(box.id, { force: false });
      assert.equal(await subject.runtime.state(box.id), undefined);
    });

    it('lets the container inherit its streams and tells why a command cannot run', async () => {
      const works = await subject.runner.run(subject.runtime.runCommand(await bundle(['echo', 'hello'])));
      assert.equal(works.exitCode, 0, works.stderr);
      const box = await bundle(['/no/such/command']);
      assert.notEqual((await subject.runner.run(subject.runtime.runCommand(box))).exitCode, 0);
      const { stdout } = await subject.runner.run(['cat', box.log]);
      assert.match(lastRuntimeMessage(stdout), /exec.*no such file/i);
    });

    it('creates and starts in two steps', async () => {
      const box = await bundle(['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.02; done']);
      await subject.runtime.create(box);
      assert.equal((await subject.runtime.state(box.id))?.status, 'created');
      await subject.runtime.start(box.id);
      assert.equal((await subject.runtime.state(box.id))?.status, 'running');
      await refused(subject.runtime.start(box.id), /could not start/);
      await subject.runtime.delete(box.id, { force: true });
      assert.equal(await subject.runtime.state(box.id), undefined);
    });

    it('gives its reason when it cannot create', async () => {
      const box = await bundle(forever, { network: { mode: 'namespace', path: '/run/netns/no-such-namespace' } });
      await refused(subject.runtime.create(box), /no-such-namespace|[Nn]o such file/);
    });

    it('forgets by force what it never knew', async () => {
      await subject.runtime.delete('f'.repeat(64), { force: true });
      await refused(subject.runtime.delete('f'.repeat(64), { force: false }), /could not delete/);
      assert.equal(await subject.runtime.state('f'.repeat(64)), undefined);
    });
  });
}

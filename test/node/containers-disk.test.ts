import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { silentLog } from '../../base/log.ts';
import { isOrchError } from '../../model/errors.ts';
import { ContainerLab } from '../support/container-lab.ts';

const inTime = (): AbortSignal => AbortSignal.timeout(20_000);

describe('the data directory', () => {
  it('may have a path longer than one mount option', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orch-long-'));
    const dataDir = join(folder, 'd'.repeat(200), 'e'.repeat(200));
    const lab = await ContainerLab.open({ dataDir });
    try {
      assert.deepEqual(await lab.run(['sh', '-c', 'echo new > /file; cat /file; ls /etc/covered 2>/dev/null || echo covered']), { exitCode: 0, oomKilled: false, stdout: 'new\ncovered\n', stderr: '' });
    } finally {
      await lab[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    }
  });

  it('holds images of many layers', async () => {
    await using lab = await ContainerLab.open();
    for (const count of [130, 400]) {
      const layers = Array.from({ length: count }, (_unused, index) => join(lab.directory, `many${count}`, String(index)));
      for (const [index, layer] of layers.entries()) {
        mkdirSync(join(layer, 'etc'), { recursive: true });
        if (index === count - 1) writeFileSync(join(layer, 'etc/passwd'), `lowest of ${count}`);
      }
      const target = join(lab.directory, `target${count}`);
      mkdirSync(target);
      const [passwd, none] = await lab.shim.readRootFiles({ target, lower: layers }, ['/etc/passwd', '/etc/none']);
      assert.deepEqual([passwd?.toString(), none?.toString()], [`lowest of ${count}`, '']);
    }
  });
});

describe('a full disk', () => {
  let folder = '';
  let disk = '';
  let lab: ContainerLab;
  const warnings: string[] = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'orch-disk-'));
    disk = join(folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
    lab = await ContainerLab.open({ dataDir: join(disk, 'data'), log: { ...silentLog, warn: (_fields, message) => { warnings.push(message); } } });
  });
  after(async () => {
    await lab[Symbol.asyncDispose]();
    execFileSync('umount', [disk]);
    rmSync(folder, { recursive: true });
  });

  function fill(leaveBytes: number): void {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
  }
  const free = (): void => rmSync(join(disk, 'ballast'));

  it('refuses new containers, leaves the old ones, and does no harm once there is space again', async () => {
    const kept = await lab.create(['echo', 'kept'], { name: 'kept' });
    fill(0);
    await assert.rejects(lab.create(['true'], { name: 'refused' }), (error) => isOrchError(error, 'ORCH_NO_SPACE') || assert.fail(String(error)));
    assert.deepEqual(lab.engine.list().map(({ name }) => name), ['kept']);
    free();
    await lab.close();
    await lab.reopen();
    assert.deepEqual(lab.engine.list().map(({ name }) => name), ['kept']);
    await lab.engine.start(kept);
    assert.equal((await lab.engine.wait(kept, inTime())).exitCode, 0);
    assert.equal(await lab.output(kept), 'kept\n');
    await lab.engine.remove(await lab.create(['true'], { name: 'refused' }), { force: false });
  });

  it('costs a container its output but not its life, and that is said', async () => {
    const id = await lab.create(['sh', '-c', 'while [ ! -e /go ]; do sleep 0.02; done; seq 1 200000; echo last; exit 5']);
    const { pid } = await lab.engine.start(id);
    fill(256 * 1024); // for the log; then nothing is left
    mkdirSync(`/proc/${pid}/root/go`);
    const { exitCode } = await lab.engine.wait(id, inTime());
    free();
    // The exit file did not fit either when nothing at all is left; the container has ended in any case.
    assert.ok(exitCode === 5 || exitCode === undefined, String(exitCode));
    const lines = (await lab.output(id)).trim().split('\n');
    assert.ok(lines.length > 100 && lines.length < 200_000);
    // Whole records are missing, but none is torn.
    assert.ok(lines.every((line) => /^\d+$/.test(line) || line === 'last'));
    assert.deepEqual(lines.slice(0, 100), Array.from({ length: 100 }, (_unused, index) => String(index + 1)));
    assert.deepEqual(warnings, ['output of a container could not be written to its log']);
  });
});

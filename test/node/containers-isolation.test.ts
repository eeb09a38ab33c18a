import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { ContainerCreate } from '../../runtime/engine.ts';
import { readHostFacts } from '../../runtime/oci/host-facts.ts';
import { ContainerLab } from '../support/container-lab.ts';
import { skipTest } from '../support/skip.ts';

const inTime = (): AbortSignal => AbortSignal.timeout(20_000);
const MIB = 1024 * 1024;

describe('the inside of containers', () => {
  let lab: ContainerLab;
  before(async () => { lab = await ContainerLab.open({ volumePath: async (name) => join(lab.directory, 'volumes', name) }); });
  after(() => lab[Symbol.asyncDispose]());

  /** Standard output of a shell script in a container that must succeed. */
  async function sh(script: string, changes: Partial<ContainerCreate> = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await lab.run(['sh', '-c', script], changes);
    assert.equal(exitCode, 0, `${script}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  const status = async (key: string, changes: Partial<ContainerCreate> = {}): Promise<string> =>
    (await sh(`grep ^${key}: /proc/self/status`, changes)).split(/\s+/).slice(1).join(' ');

  describe('isolation', () => {
    it('gives a container namespaces of its own', async () => {
      const id = await lab.create(['sleep', '1000']);
      const { pid } = await lab.engine.start(id);
      for (const type of ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup']) {
        assert.notEqual(readlinkSync(`/proc/${pid}/ns/${type}`), readlinkSync(`/proc/self/ns/${type}`), type);
      }
      await lab.engine.remove(id, { force: true });
    });

    it('lets a container use the node\'s network, or one that was made for it', async () => {
      assert.equal(await sh('readlink /proc/self/ns/net', { network: { mode: 'host' } }), readlinkSync('/proc/self/ns/net'));
      const name = `orch-${lab.nodeId.slice(-6)}`;
      execFileSync('ip', ['netns', 'add', name]);
      try {
        const path = `/run/netns/${name}`;
        const inside = execFileSync('ip', ['netns', 'exec', name, 'readlink', '/proc/self/ns/net'], { encoding: 'utf8' }).trim();
        assert.equal(await sh('readlink /proc/self/ns/net', { network: { mode: 'namespace', path } }), inside);
      } finally {
        execFileSync('ip', ['netns', 'delete', name]);
      }
    });

    it('shows only the container\'s own processes, host name and cgroup', async () => {
      assert.equal(await sh('echo $$'), '1');
      assert.equal(await sh('hostname; cat /etc/hostname', { hostname: 'inside' }), 'inside\ninside');
      assert.match(await sh('cat /proc/self/cgroup'), /^\d+:memory:\/$/m);
      assert.equal(await sh('cat /etc/hosts | grep db; cat /etc/resolv.conf', { hosts: ['10.1.2.3 db'], dns: { nameservers: ['10.0.0.1'], search: ['a.example'], options: ['ndots:1'] } }), '10.1.2.3 db\nnameserver 10.0.0.1\nsearch a.example\noptions ndots:1');
    });

    it('gives root Docker\'s capabilities, others none, more or less on request', async () => {
      assert.equal(await status('CapEff'), '00000000a80425fb');
      assert.equal(await status('CapBnd', { capabilityDrop: ['ALL'], capabilityAdd: ['CHOWN'] }), '0000000000000001');
      assert.equal(await status('CapEff', { user: '1000' }), '0000000000000000');
      assert.equal(await status('CapInh'), '0000000000000000');
      assert.equal(await status('NoNewPrivs'), '0');
      assert.equal(await status('NoNewPrivs', { noNewPrivileges: true }), '1');
    });

    it('filters system calls', async () => {
      assert.equal(await status('Seccomp'), '2');
      assert.equal(await sh('unshare -m true 2>/dev/null && echo allowed || echo refused'), 'refused');
      assert.equal(await sh('mount -t tmpfs none /tmp 2>/dev/null && echo allowed || echo refused'), 'refused');
      assert.equal(await sh('mount -t tmpfs none /tmp && echo allowed', { capabilityAdd: ['SYS_ADMIN'] }), 'allowed');
    });

    it('hides and protects the kernel\'s files', async () => {
      assert.equal(await sh('cat /proc/kcore /proc/keys | wc -c'), '0');
      assert.equal(await sh('ls -A /sys/firmware | wc -l'), '0');
      for (const path of ['/proc/sys/vm/swappiness', '/proc/sysrq-trigger', '/sys/fs/cgroup/memory/cgroup.procs', '/sys/kernel/notes']) {
        assert.equal(await sh(`echo 1 2>/dev/null > ${path} && echo written || echo refused`), 'refused', path);
      }
    });

    it('keeps devices away, but for the harmless ones', async () => {
      assert.equal(await sh('ls /dev | sort | tr "\\n" " "'), 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero');
      assert.equal(await sh('mknod /tmp/disk b 254 0 && (dd if=/tmp/disk count=1 2>&1 | grep -o "not permitted")'), 'not permitted');
      assert.equal(await sh('head -c 4 /dev/zero | wc -c; echo x > /dev/null'), '4');
    });
  });

  describe('users of a container', () => {
    it('are found by name in the image, with their groups and home', async () => {
      assert.equal(await sh('id -u; id -g; id -G; echo $HOME', { user: 'web' }), '101\n102\n102 103\n/srv');
      assert.equal(await sh('id -u; id -g', { user: '55:logs', groups: ['102'] }), '55\n103');
      assert.equal(await sh('id -G', { user: '55:logs', groups: ['102'] }), '103 102');
    });
  });

  describe('limits', () => {
    it('of memory kill, and say so', async () => {
      const { exitCode, oomKilled } = await lab.run(['sh', '-c', 'exec tail /dev/zero'], { limits: { memoryBytes: 16 * MIB } });
      assert.deepEqual([exitCode, oomKilled], [137, true]);
    });

    it('of memory are reported also when another process than the first was killed', async () => {
      const events: string[] = [];
      using _subscription = lab.engine.subscribe(({ action }) => { events.push(action); });
      const { exitCode, oomKilled } = await lab.run(['sh', '-c', 'tail /dev/zero; exit 3'], { limits: { memoryBytes: 16 * MIB } });
      assert.deepEqual([exitCode, oomKilled], [3, true]);
      assert.ok(events.includes('oom'));
    });

    it('of processes hold', async () => {
      const { stderr } = await lab.run(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done'], { limits: { pids: 5 } });
      assert.match(stderr, /can't fork/);
    });

    it('of CPU time are set', async function () {
      if ((await readHostFacts()).cgroupVersion === 2) skipTest(this, 'this reads the files of cgroup version 1');
      assert.equal(await sh('cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us', { limits: { nanoCpus: 500_000_000 } }), '50000\n100000');
    });

    it('of resources are at most what the daemon may set', async () => {
      const own = Number(/^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
      assert.equal(await sh('ulimit -n; ulimit -Hn', { ulimits: [{ name: 'nofile', soft: 50, hard: 100 }] }), '50\n100');
      assert.ok(Number(await sh('ulimit -Hn')) <= Math.max(own, 1_048_576));
      assert.equal(await sh('cat /proc/self/oom_score_adj', { oomScoreAdj: 300 }), '300');
    });
  });

  describe('mounts', () => {
    it('bring in files of the node, for reading only when asked', async () => {
      const source = join(lab.directory, 'shared');
      mkdirSync(source);
      writeFileSync(join(source, 'in'), 'from the node');
      const mount = { type: 'bind', source, target: '/shared/deep', readOnly: false } as const;
      assert.equal(await sh('cat /shared/deep/in; echo out > /shared/deep/out', { mounts: [mount] }), 'from the node');
      assert.equal(readFileSync(join(source, 'out'), 'utf8'), 'out\n');
      assert.equal(await sh('echo x 2>/dev/null > /shared/deep/in && echo written || echo refused', { mounts: [{ ...mount, readOnly: true }] }), 'refused');
    });

    it('bring in named volumes', async () => {
      mkdirSync(join(lab.directory, 'volumes/data'), { recursive: true });
      const mounts = [{ type: 'volume', source: 'data', target: '/data', readOnly: false }] as const;
      await sh('echo kept > /data/file', { mounts });
      assert.equal(await sh('cat /data/file', { mounts }), 'kept');
    });

    it('of memory have size and mode', async () => {
      const mounts = [{ type: 'tmpfs', source: '', target: '/scratch', readOnly: false, tmpfs: { sizeBytes: MIB, mode: 0o700 } }] as const;
      assert.equal(await sh('stat -c %a /scratch; df -k /scratch | tail -1 | awk "{print \\$2}"', { mounts }), '700\n1024');
    });

    it('leave the root read-only when asked', async () => {
      assert.equal(await sh('echo x 2>/dev/null > /file && echo written || echo refused; echo y > /dev/shm/file && cat /dev/shm/file', { readOnly: true }), 'refused\ny');
    });

    it('see what the container changes of its image, and no other container does', async () => {
      assert.equal(await sh('rm /etc/group; echo new > /etc/passwd; cat /etc/passwd; ls /etc/group 2>/dev/null || echo gone'), 'new\ngone');
      assert.match(await sh('cat /etc/passwd /etc/group; ls /etc/covered 2>/dev/null || echo covered'), /^root:x:0:0.*logs:x:103:web\ncovered$/s);
    });

    it('put settings of the container\'s kernel namespaces in place', async () => {
      assert.equal(await sh('cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced', { sysctls: { 'kernel.shm_rmid_forced': '1' } }), '0\n1');
    });
  });

  describe('a terminal', () => {
    it('is the container\'s standard streams, and its output is in the log', async () => {
      const { exitCode, stdout } = await lab.run(['sh', '-c', 'tty; test -t 0 && test -t 1 && test -t 2; echo $? $TERM; exit 6'], { tty: true });
      assert.deepEqual([exitCode, stdout], [6, '/dev/pts/0\r\n0 xterm\r\n']);
    });

    it('goes away with its container', async () => {
      const id = await lab.create(['sleep', '1000'], { tty: true });
      await lab.engine.start(id);
      await lab.engine.kill(id, 'KILL');
      assert.equal((await lab.engine.wait(id, inTime())).exitCode, 137);
      await lab.engine.remove(id, { force: false });
    });
  });
});

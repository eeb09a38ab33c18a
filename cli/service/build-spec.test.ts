import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { parseCommandLine } from '../parse.ts';
import { FakeApiClient, printed, testContext } from '../testing.ts';
import { resolveEnvironment } from './build-spec.ts';
import { serviceCreate } from './create.ts';
import { sampleWords } from './testing.ts';

/** The body that `orch service create` sends for these words; throws what the command throws. */
async function specOf(...words: readonly string[]): Promise<unknown> {
  const client = new FakeApiClient({ 'POST /services/create': { ID: 'new' } });
  const { args, flags } = parseCommandLine(serviceCreate, ['--detach', ...words]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseCommandLine built the flags from this command's own table
  const { error } = await printed(serviceCreate.run(testContext(client, { environmentVariable: (name) => name === 'HOME' ? '/root' : undefined }), args, flags as never));
  if (error !== undefined) throw error;
  return client.requests.at(-1)?.body;
}

describe('the spec of service create', () => {
  it('has only what was asked for', async () => assert.deepEqual(await specOf('--name', 'web', 'demo:1'), {
    Name: 'web', Mode: { Replicated: { Replicas: 1 } }, TaskTemplate: { ContainerSpec: { Image: 'demo:1' } },
  }));

  it("writes everything in Docker's places and units", async () => {
    const words = ['--name', 'web', '--mode', 'global', '--label', 'tier=front', '--container-label', 'a=b', '--env', 'A=1', '--env', 'HOME', '--env', 'UNSET', '--entrypoint', '/bin/tool "a b"', '--hostname', 'h{{.Task.Slot}}', '--user', 'app:app', '--workdir', '/w',
      '--read-only', '--group', 'wheel', '--stop-signal', 'SIGINT', '--stop-grace-period', '1m', '--oom-score-adj', '-5', '--no-healthcheck', '--mount', 'type=bind,source=/srv,target=/data,readonly', '--host', 'db:10.0.0.5', '--dns', '1.1.1.1', '--dns-search', 'lan', '--dns-option', 'ndots:2',
      '--cap-add', 'NET_ADMIN', '--cap-drop', 'ALL', '--sysctl', 'net.core.somaxconn=9', '--ulimit', 'nofile=10:20', '--limit-cpu', '1.5', '--limit-memory', '64m', '--limit-pids', '7', '--reserve-cpu', '.25', '--reserve-memory', '32m', '--replicas-max-per-node', '2',
      '--restart-condition', 'on-failure', '--restart-delay', '2s', '--restart-max-attempts', '3', '--restart-window', '10s', '--constraint', 'node.role==worker', '--placement-pref', 'spread=node.labels.zone', '--network', 'host', '--publish', 'mode=host,target=80,published=8080',
      '--update-parallelism', '2', '--update-delay', '1.5ms', '--update-monitor', '5s', '--update-max-failure-ratio', '0.1', '--update-failure-action', 'rollback', '--update-order', 'start-first', '--rollback-parallelism', '0', 'demo:1', 'serve', '--port', '80'];
    assert.deepEqual(await specOf(...words), {
      Name: 'web', Labels: { tier: 'front' }, Mode: { Global: {} },
      TaskTemplate: {
        ContainerSpec: {
          Image: 'demo:1', Args: ['serve', '--port', '80'], Command: ['/bin/tool', 'a b'], Hostname: 'h{{.Task.Slot}}', User: 'app:app', Dir: '/w', ReadOnly: true, StopSignal: 'SIGINT', StopGracePeriod: 60_000_000_000, OomScoreAdj: -5, Healthcheck: { Test: ['NONE'] },
          Env: ['A=1', 'HOME=/root'], Labels: { a: 'b' }, Groups: ['wheel'], Mounts: [{ Type: 'bind', Target: '/data', Source: '/srv', ReadOnly: true }], Hosts: ['10.0.0.5 db'], DNSConfig: { Nameservers: ['1.1.1.1'], Search: ['lan'], Options: ['ndots:2'] },
          CapabilityAdd: ['NET_ADMIN'], CapabilityDrop: ['ALL'], Sysctls: { 'net.core.somaxconn': '9' }, Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
        },
        Resources: { Limits: { NanoCPUs: 1_500_000_000, MemoryBytes: 67_108_864, Pids: 7 }, Reservations: { NanoCPUs: 250_000_000, MemoryBytes: 33_554_432 } },
        RestartPolicy: { Condition: 'on-failure', Delay: 2_000_000_000, MaxAttempts: 3, Window: 10_000_000_000 },
        Placement: { Constraints: ['node.role==worker'], Preferences: [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }], MaxReplicas: 2 }, Networks: [{ Target: 'host' }],
      },
      UpdateConfig: { Parallelism: 2, Delay: 1_500_000, Monitor: 5_000_000_000, MaxFailureRatio: 0.1, FailureAction: 'rollback', Order: 'start-first' }, RollbackConfig: { Parallelism: 0 },
      EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishMode: 'host', PublishedPort: 8080 }] },
    });
  });

  /** They are about the command, not the service. */
  const withoutEffect = new Set(['detach', 'quiet', 'no-resolve-image', 'env-file']);

  it('shows or refuses every flag there is', async () => {
    const bare = await specOf('--name', 'x', 'demo:1');
    for (const [name, flag] of Object.entries(serviceCreate.flags)) {
      const made = specOf('--name', 'x', ...sampleWords(name, flag), 'demo:1');
      if (flag.type === 'refused') await assert.rejects(made, (error) => isOrchError(error, 'ORCH_UNSUPPORTED') && error.message.startsWith(`--${name} is not supported: `), name);
      else if (withoutEffect.has(name)) continue;
      else assert.notDeepEqual(await made, bare, `--${name} changes nothing`);
    }
  });

  it('refuses modes that make no sense', async () => {
    await assert.rejects(specOf('--mode', 'global', '--replicas', '2', 'demo:1'), (error) => isOrchError(error, 'ORCH_USAGE'));
    await assert.rejects(specOf('--mode', 'replicated-job', 'demo:1'), (error) => isOrchError(error, 'ORCH_UNSUPPORTED'));
  });
});

describe('resolveEnvironment', () => {
  it("takes a value from the user's shell, and nothing where it has none", () => {
    assert.deepEqual(resolveEnvironment(['A=1', 'B', 'C', 'D='], (name) => name === 'B' ? 'b=b' : undefined), ['A=1', 'B=b=b', 'D=']);
  });
});

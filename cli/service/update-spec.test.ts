import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { parseCommandLine } from '../parse.ts';
import { FakeApiClient, printed, testContext } from '../testing.ts';
import type { DockerServiceSpec } from './docker-spec.ts';
import { sampleWords } from './testing.ts';
import { serviceUpdate, updateFlags } from './update.ts';

const bare: DockerServiceSpec = { Name: 'web', Mode: { Replicated: { Replicas: 2 } }, TaskTemplate: { ContainerSpec: { Image: 'demo:1' } } };

async function send(spec: DockerServiceSpec, words: readonly string[]): Promise<FakeApiClient> {
  const client = new FakeApiClient({ 'GET /services/web': { ID: 's1', Version: { Index: 7 }, Spec: spec }, 'POST /services/s1/update': { Warnings: null } });
  const { args, flags } = parseCommandLine(serviceUpdate, ['--detach', ...words, 'web']);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseCommandLine built the flags from this command's own table
  const { error } = await printed(serviceUpdate.run(testContext(client), args, flags as never));
  if (error !== undefined) throw error;
  return client;
}

/** The spec that `orch service update` sends for these words to a service that has `spec`. */
async function update(spec: DockerServiceSpec, ...words: readonly string[]): Promise<DockerServiceSpec> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what replaceSpec sends
  return (await send(spec, words)).requests.at(-1)?.body as DockerServiceSpec;
}

describe('the spec of service update', () => {
  it('is the same when nothing is asked for, and sent to the version that was read', async () => {
    const client = await send(bare, []);
    assert.deepEqual(client.calls, ['GET /services/web', 'POST /services/s1/update?version=7']);
    assert.deepEqual(client.requests.at(-1)?.body, bare);
  });

  it('keeps fields that the command line does not know', async () => {
    const spec = { ...bare, Extra: { deep: [1] }, TaskTemplate: { ...bare.TaskTemplate, Runtime: 'container', ContainerSpec: { Image: 'demo:1', Isolation: 'x' } } };
    assert.deepEqual(await update(spec, '--label-add', 'a=1'), { ...spec, Labels: { a: '1' } });
  });

  it('shows or refuses every flag there is', async () => {
    const withoutEffect = new Set(['detach', 'quiet', 'no-resolve-image', 'rollback']);
    let full = bare;
    for (const [name, flag] of Object.entries(updateFlags)) if (name.endsWith('-add') && flag.type === 'list' && name !== 'cap-add') full = await update(full, ...sampleWords(name, flag));
    for (const [name, flag] of Object.entries(updateFlags)) {
      const before = name.endsWith('-rm') ? full : bare;
      const made = update(before, ...sampleWords(name, flag));
      if (flag.type === 'refused') await assert.rejects(made, (error) => isOrchError(error, 'ORCH_UNSUPPORTED') && error.message.startsWith(`--${name} is not supported: `), name);
      else if (withoutEffect.has(name)) continue;
      else assert.notDeepEqual(await made, before, `--${name} changes nothing`);
    }
  });

  it('changes one limit and keeps the others', async () => {
    const spec = await update(bare, '--limit-cpu', '1', '--reserve-memory', '32m', '--restart-delay', '1s', '--update-delay', '1s');
    const next = await update(spec, '--limit-memory', '64m', '--restart-condition', 'none', '--update-order', 'start-first');
    assert.deepEqual(next.TaskTemplate.Resources, { Limits: { NanoCPUs: 1e9, MemoryBytes: 67_108_864 }, Reservations: { MemoryBytes: 33_554_432 } });
    assert.deepEqual(next.TaskTemplate.RestartPolicy, { Condition: 'none', Delay: 1e9 });
    assert.deepEqual(next.UpdateConfig, { Delay: 1e9, Order: 'start-first' });
  });

  it('turns the read-only root file system on and off', async () => {
    const on = await update(bare, '--read-only');
    assert.equal(on.TaskTemplate.ContainerSpec.ReadOnly, true);
    assert.equal((await update(on, '--read-only=false')).TaskTemplate.ContainerSpec.ReadOnly, false);
    assert.equal((await update(on, '--image', 'demo:2')).TaskTemplate.ContainerSpec.ReadOnly, true);
  });
});

describe('the lists of service update', () => {
  it('replace by key and remove what is named', async () => {
    const spec = await update(bare, '--env-add', 'A=1', '--env-add', 'B=2', '--label-add', 'x=1', '--mount-add', 'type=tmpfs,target=/t', '--host-add', 'db:10.0.0.1', '--ulimit-add', 'nofile=1:2');
    const next = await update(spec, '--env-add', 'A=3', '--env-rm', 'B', '--label-add', 'x=2', '--mount-add', 'type=bind,source=/s,target=/t', '--host-rm', 'db:10.0.0.1', '--ulimit-rm', 'nofile');
    const { Env, Mounts, Hosts, Ulimits } = next.TaskTemplate.ContainerSpec;
    assert.deepEqual([Env, next.Labels, Mounts, Hosts, Ulimits], [['A=3'], { x: '2' }, [{ Type: 'bind', Source: '/s', Target: '/t' }], [], []]);
  });

  it('take a capability from one list when the other gets it', async () => {
    const spec = await update(bare, '--cap-add', 'NET_ADMIN', '--cap-drop', 'CHOWN');
    const { CapabilityAdd, CapabilityDrop } = (await update(spec, '--cap-drop', 'NET_ADMIN')).TaskTemplate.ContainerSpec;
    assert.deepEqual([CapabilityAdd, CapabilityDrop], [[], ['CHOWN', 'NET_ADMIN']]);
  });

  it('add ports, and remove them by port and protocol', async () => {
    const spec = await update(bare, '--publish-add', 'mode=host,target=53', '--publish-add', 'mode=host,target=53,protocol=udp', '--publish-add', 'mode=host,target=80,published=8080');
    const ports = async (...words: string[]) => (await update(spec, ...words)).EndpointSpec?.Ports?.map((port) => `${port.PublishedPort ?? ''}:${port.TargetPort}/${port.Protocol}`);
    assert.deepEqual(await ports(), [':53/tcp', ':53/udp', '8080:80/tcp']);
    assert.deepEqual(await ports('--publish-rm', '53', '--publish-rm', '80'), [':53/udp']);
    assert.deepEqual(await ports('--publish-rm', '53/udp', '--publish-add', 'mode=host,target=80,published=8081'), [':53/tcp', '8080:80/tcp', '8081:80/tcp']);
    assert.deepEqual(await ports('--publish-add', 'mode=host,target=53'), [':53/udp', '8080:80/tcp', ':53/tcp']);
  });
});

describe('service update', () => {
  it('counts forced replacements up', async () => {
    const once = await update(bare, '--force');
    assert.equal((await update(once, '--force')).TaskTemplate.ForceUpdate, 2);
    assert.equal((await update(once)).TaskTemplate.ForceUpdate, 1);
  });

  it('refuses replicas for a global service', async () => {
    await assert.rejects(update({ ...bare, Mode: { Global: {} } }, '--replicas', '2'), (error) => isOrchError(error, 'ORCH_USAGE') && /"web" is global/.test(error.message));
  });

  it('rolls back, and takes no other change along', async () => {
    assert.equal((await send(bare, ['--rollback', '--quiet'])).calls.at(-1), 'POST /services/s1/update?version=7&rollback=previous');
    await assert.rejects(send(bare, ['--rollback', '--image', 'x']), (error) => isOrchError(error, 'ORCH_USAGE') && /--image can't be given with --rollback/.test(error.message));
    await assert.rejects(send(bare, ['--rollback', '--env-add', 'A=1']), (error) => isOrchError(error, 'ORCH_USAGE'));
  });
});

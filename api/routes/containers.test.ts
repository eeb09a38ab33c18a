import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { assertDocker } from '../../test/support/docker-reference.ts';
import { container, image, testApi } from '../testing.ts';

const WEB = 'a'.repeat(64);
const JOB = 'b'.repeat(64);

async function withContainers(): ReturnType<typeof testApi> {
  const under = await testApi();
  under.engine.imageList = [image({ tags: ['web:1'] })];
  under.engine.containerList = [
    container({ id: WEB, name: 'web.1', state: 'running', startedAtMs: 1_699_999_000_000, pid: 77, createdAtMs: 1_699_999_000_000, create: { labels: { tier: 'front' } } }),
    container({ id: JOB, name: 'job', state: 'exited', exitCode: 3, startedAtMs: 1_699_990_000_000, exitedAtMs: 1_699_992_800_000, createdAtMs: 1_699_990_000_000 }),
  ];
  return under;
}

describe('containers of the node', () => {
  it('are listed while they run, and all on request, newest first', async () => {
    await using under = await withContainers();
    const running = (await under.api.inject('/containers/json')).json();
    assertDocker('ContainerSummary[]', running);
    assert.deepEqual(running.map(({ Names, Status }: { Names: string[]; Status: string }) => [Names, Status]), [[['/web.1'], 'Up 16 minutes']]);
    const all = (await under.api.inject('/containers/json?all=1')).json();
    assertDocker('ContainerSummary[]', all);
    assert.deepEqual(all.map(({ Id }: { Id: string }) => Id), [WEB, JOB]);
    assert.equal(all[1].Status, 'Exited (3) 2 hours ago');
    assert.equal((await under.api.inject('/containers/json?limit=1')).json().length, 1);
  });

  const filters: Readonly<Record<string, readonly string[]>> = {
    '{"name":["^/web"]}': [WEB], '{"name":["nope"]}': [], '{"id":["bbb"]}': [JOB], '{"status":["exited"]}': [JOB], '{"exited":["3"]}': [JOB],
    '{"label":["tier=front"]}': [WEB], '{"label":{"tier":true}}': [WEB], '{"label":["tier=back"]}': [], '{"ancestor":["web:1"]}': [WEB, JOB],
    '{"before":["web.1"]}': [JOB], '{"since":["job"]}': [WEB],
  };
  for (const [filter, ids] of Object.entries(filters)) {
    it(`are found by ${filter}`, async () => {
      await using under = await withContainers();
      const response = await under.api.inject(`/containers/json?all=1&filters=${encodeURIComponent(filter)}`);
      assert.deepEqual(response.json().map(({ Id }: { Id: string }) => Id), ids);
    });
  }

  it('are not searched by what nobody knows', async () => {
    await using under = await withContainers();
    const status = async (filter: string): Promise<number> => (await under.api.inject(`/containers/json?filters=${encodeURIComponent(filter)}`)).statusCode;
    assert.equal(await status('{"colour":["red"]}'), 400);
    assert.equal(await status('{"health":["healthy"]}'), 501);
    assert.equal(await status('{"name":["["]}'), 400);
    assert.equal(await status('no json'), 400);
    assert.equal(await status('{"label":5}'), 400);
  });

  it('are inspected by id or name, with the command of their image where they have none', async () => {
    await using under = await withContainers();
    const inspected = (await under.api.inject('/v1.50/containers/web.1/json')).json();
    assertDocker('ContainerInspectResponse', inspected);
    assert.deepEqual([inspected.Path, inspected.Args, inspected.State.Pid], ['/entry', ['serve'], 77]);
    assert.deepEqual(inspected.Config.Env, ['A=own', 'B=image']);
    const missing = await under.api.inject('/containers/other/json');
    assert.equal(missing.statusCode, 404);
    assert.equal(missing.json().message, 'No such container: other');
  });
});

describe('containers on the network', () => {
  it('have the ports and addresses that they have on the network', async () => {
    await using under = await withContainers();
    const ports = [{ protocol: 'tcp', targetPort: 80, publishedPort: 8080, mode: 'host' }, { protocol: 'udp', targetPort: 53, publishedPort: 53, mode: 'host' }] as const;
    under.engine.attachmentList = [{ containerId: WEB, addresses: ['10.200.0.2/24'], gateway: '10.200.0.1', macAddress: '02:00:0a:c8:00:02', ports }];
    const all = (await under.api.inject('/containers/json?all=1')).json();
    assertDocker('ContainerSummary[]', all);
    assert.deepEqual(all.map(({ Ports }: { Ports: object[] }) => Ports), [[{ IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }, { IP: '0.0.0.0', PrivatePort: 53, PublicPort: 53, Type: 'udp' }], []]);
    const web = (await under.api.inject('/containers/web.1/json')).json();
    assertDocker('ContainerInspectResponse', web);
    assert.deepEqual(web.NetworkSettings, {
      Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '53/udp': [{ HostIp: '0.0.0.0', HostPort: '53' }] },
      Networks: { bridge: { IPAddress: '10.200.0.2', IPPrefixLen: 24, Gateway: '10.200.0.1', MacAddress: '02:00:0a:c8:00:02' } },
    });
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { describeImages, lookUp } from './image-lookup.ts';
import { planRemoval } from './image-removal.ts';
import type { RemovalRequest } from './image-removal.ts';
import type { StoreState } from './store-state.ts';

const a = `sha256:${'a1'.repeat(32)}`;
const b = `sha256:${'a2'.repeat(32)}`;
const manifest = `sha256:${'ff'.repeat(32)}`;

const state = (tags: Record<string, string>, repoDigests: Record<string, string> = {}): StoreState => ({
  images: new Map([a, b].map((id) => [id, { manifest, blobs: [manifest, id] }])),
  layers: new Map(), tags: new Map(Object.entries(tags)), repoDigests: new Map(Object.entries(repoDigests)),
});

describe('looking up an image', () => {
  const images = state({ 'web:latest': a, 'web:1': a, 'registry.local:5000/team/web:1': b, [`${'a2'.repeat(6)}:latest`]: a }, { [`web@${manifest}`]: a });

  it('finds it by tag, with or without what everybody leaves out', () => {
    for (const text of ['web', 'web:latest', 'docker.io/library/web', 'index.docker.io/web:1']) assert.equal(lookUp(images, text)?.id, a, text);
    assert.deepEqual(lookUp(images, 'registry.local:5000/team/web:1'), { by: 'tag', name: 'registry.local:5000/team/web:1', id: b });
    assert.equal(lookUp(images, 'web:2'), undefined);
  });

  it('finds it by repo digest, whatever tag stands before it', () => {
    assert.deepEqual(lookUp(images, `web@${manifest}`), { by: 'repo-digest', name: `web@${manifest}`, id: a });
    assert.equal(lookUp(images, `web:9@${manifest}`)?.id, a);
    assert.equal(lookUp(images, `other@${manifest}`), undefined);
  });

  it('finds it by id and by a prefix that fits no other', () => {
    for (const text of [a, a.slice('sha256:'.length), 'a1', 'sha256:a1a1']) assert.deepEqual(lookUp(images, text), { by: 'id', id: a }, text);
    assert.equal(lookUp(images, 'b'), undefined);
    assert.equal(lookUp(images, manifest), undefined);
    assert.throws(() => lookUp(images, 'a'), { code: 'ORCH_INVALID', message: '"a" fits 2 images' });
  });

  it('takes a name before a prefix, as Docker does', () => {
    assert.equal(lookUp(images, 'a2'.repeat(6))?.by, 'tag');
  });

  it('finds nothing by a text that is no reference', () => {
    for (const text of ['', 'UPPER', 'a b', 'web:', 'sha256:']) assert.equal(lookUp(images, text), undefined, text);
  });
});

describe('describing images', () => {
  it('gives newest first, each with its names in order', () => {
    const config = { user: '', env: [], entrypoint: [], cmd: [], workingDir: '', labels: {}, stopSignal: '', exposedPorts: [], volumes: [] };
    const document = (createdAtMs: number): Parameters<typeof describeImages>[1] extends ReadonlyMap<string, infer D> ? D : never =>
      ({ platform: { os: 'linux', arch: 'amd64', variant: '' }, createdAtMs, config, diffIds: [], history: [] });
    const images = describeImages(state({ 'z:1': a, 'm:1': a }), new Map([[a, document(1)], [b, document(2)]]));
    assert.deepEqual(images.map(({ id, tags }) => [id, tags]), [[b, []], [a, ['m:1', 'z:1']]]);
  });
});

describe('planning a removal', () => {
  const plan = (from: StoreState, text: string, request: Partial<RemovalRequest> = {}): ReturnType<typeof planRemoval> => {
    const found = lookUp(from, text);
    assert.ok(found);
    return planRemoval(from, { found, force: false, users: [], ...request });
  };
  const digest = `web@${manifest}`;

  it('takes one of several tags and leaves the image', () => {
    assert.deepEqual(plan(state({ 'web:1': a, 'web:2': a }, { [digest]: a }), 'web:1'), { untagged: ['web:1'], deletesImage: false });
  });

  it('takes the image with its last tag, and the repo digests of that repository', () => {
    assert.deepEqual(plan(state({ 'web:1': a }, { [digest]: a }), 'web:1'), { untagged: ['web:1', digest], deletesImage: true });
    assert.deepEqual(plan(state({ 'web:1': a, 'other:1': a }, { [digest]: a }), 'web:1'), { untagged: ['web:1', digest], deletesImage: false });
    assert.deepEqual(plan(state({}, { [digest]: a }), digest), { untagged: [digest], deletesImage: true });
  });

  it('takes an image by its id when it has one tag at most, several only by force', () => {
    assert.deepEqual(plan(state({ 'web:1': a }, { [digest]: a }), a), { untagged: ['web:1', digest], deletesImage: true });
    assert.deepEqual(plan(state({}), a), { untagged: [], deletesImage: true });
    const two = state({ 'web:1': a, 'web:2': a });
    assert.throws(() => plan(two, a), { code: 'ORCH_CONFLICT', message: 'Image a1a1a1a1a1a1 has 2 tags: web:1, web:2' });
    assert.deepEqual(plan(two, a, { force: true }), { untagged: ['web:1', 'web:2'], deletesImage: true });
  });

  it('keeps an image in use, but lets a tag of several go', () => {
    const users = [`${'c'.repeat(64)}`];
    assert.throws(() => plan(state({ 'web:1': a }), 'web:1', { users }), { code: 'ORCH_IN_USE', message: 'Image web:1 is used by container cccccccccccc' });
    assert.throws(() => plan(state({}), a, { users, force: true }), { code: 'ORCH_IN_USE', message: 'Image a1a1a1a1a1a1 is used by container cccccccccccc' });
    assert.deepEqual(plan(state({ 'web:1': a, 'web:2': a }), 'web:1', { users }), { untagged: ['web:1'], deletesImage: false });
  });

  it('takes only the names of an image in use by force', () => {
    assert.deepEqual(plan(state({ 'web:1': a }), 'web:1', { users: ['c'], force: true }), { untagged: ['web:1'], deletesImage: false });
  });
});

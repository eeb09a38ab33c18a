import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { OrchError, isOrchError } from '../model/errors.ts';
import { ImagePuller } from './image-puller.ts';
import { FakeImages } from './testing.ts';

const never = new AbortController().signal;

describe('ImagePuller', () => {
  it('fetches an image once for all who want it at the same time', async () => {
    const images = new FakeImages();
    const puller = new ImagePuller(images);
    await Promise.all([puller.pull('web:1', never), puller.pull('web:1', never), puller.pull('db:1', never)]);
    assert.deepEqual(images.pulled, ['web:1', 'db:1']);
    assert.ok(puller.isPresent('web:1'));
  });

  it('lets one go without disturbing the others, and ends the pull with the last', async () => {
    const images = new FakeImages();
    images.stuck.add('slow:1');
    const puller = new ImagePuller(images);
    const [first, second] = [new AbortController(), new AbortController()];
    const pulls = [puller.pull('slow:1', first.signal), puller.pull('slow:1', second.signal)];
    first.abort(new Error('first left'));
    await assert.rejects(pulls[0] ?? Promise.resolve(), { message: 'first left' });
    second.abort(new Error('second left'));
    await assert.rejects(pulls[1] ?? Promise.resolve(), { message: 'second left' });
    images.stuck.clear();
    await puller.pull('slow:1', never);
    assert.deepEqual(images.pulled, ['slow:1', 'slow:1']);
  });

  it('says which image there is not, and why another could not be had', async () => {
    const images = new FakeImages();
    images.missing.add('nope:1');
    const puller = new ImagePuller(images);
    await assert.rejects(puller.pull('nope:1', never), { code: 'ORCH_NOT_FOUND', message: 'No such image: nope:1' });
    images.pull = () => Promise.reject(new OrchError('ORCH_REGISTRY', 'Registry example.com refuses connections'));
    await assert.rejects(puller.pull('web:1', never), { code: 'ORCH_REGISTRY', message: 'No such image: web:1 (Registry example.com refuses connections)' });
    await assert.rejects(puller.pull('Not An Image', never), (error) => isOrchError(error, 'ORCH_INVALID'));
    assert.equal(puller.isPresent('Not An Image'), false);
  });
});

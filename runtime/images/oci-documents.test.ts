import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseImageDocument } from './image-document.ts';
import { MEDIA, parseManifest } from './oci-documents.ts';
import type { Descriptor } from './oci-documents.ts';
import { choosePlatform, listPlatforms, runsOn } from './platform-match.ts';
import { sha256 } from './testing.ts';

const descriptor = (mediaType: string, extra: object = {}): object => ({ mediaType, digest: sha256(mediaType), size: 3, ...extra });
const config = descriptor(MEDIA.ociConfig);

describe('parseManifest', () => {
  it('goes by the media type it came with, by its own, or by its form', () => {
    const manifest = { config, layers: [descriptor(`${MEDIA.ociLayer}+gzip`), descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip'), descriptor(`${MEDIA.ociLayer}+zstd`)] };
    for (const [type, own] of [[MEDIA.ociManifest, undefined], ['', MEDIA.dockerManifest], ['application/json', undefined]]) {
      assert.equal(parseManifest(JSON.stringify({ schemaVersion: 2, mediaType: own, ...manifest }), type ?? '', 'it').kind, 'manifest');
    }
    for (const [type, own] of [[MEDIA.ociIndex, undefined], ['', MEDIA.dockerList], ['', undefined]]) {
      assert.equal(parseManifest(JSON.stringify({ schemaVersion: 2, mediaType: own, manifests: [config] }), type ?? '', 'it').kind, 'index');
    }
  });

  const refused: readonly (readonly [document: unknown, code: string, message: string])[] = [
    [{ config }, 'ORCH_UNSUPPORTED', 'it is not an image but ""'],
    [{ config, layers: [descriptor('application/x-encrypted')] }, 'ORCH_UNSUPPORTED', 'it has a layer of the unknown type "application/x-encrypted"'],
    [{ config: { ...config, digest: 'sha512:abc' }, layers: [] }, 'ORCH_CORRUPT', 'it names content by "sha512:abc", which is no sha256 digest'],
    [{ config: { ...config, size: -1 }, layers: [] }, 'ORCH_CORRUPT', `it gives no size for ${sha256(MEDIA.ociConfig)}`],
    [{ config, layers: 'none' }, 'ORCH_CORRUPT', 'it: "layers" is not a list'],
    [{ config: [], layers: [] }, 'ORCH_CORRUPT', 'it: "config" is not a JSON object'],
    [[], 'ORCH_CORRUPT', 'it is not a JSON object'],
  ];
  for (const [document, code, message] of refused) {
    it(`says: ${message}`, () => assert.throws(() => parseManifest(JSON.stringify(document), '', 'it'), { code, message }));
  }
});

describe('parseImageDocument', () => {
  it('reads what Docker and OCI tools write', () => {
    const document = parseImageDocument(JSON.stringify({
      architecture: 'arm64', os: 'linux', variant: 'v8', created: '2024-01-02T03:04:05.123456789+01:00',
      config: { User: 'www', Env: ['A=1'], Cmd: null, Entrypoint: ['/e'], ExposedPorts: { '80/tcp': {} }, Volumes: { '/data': {} }, WorkingDir: '/w', Labels: null, StopSignal: 'SIGQUIT', Healthcheck: { Test: ['CMD', 'true'], Interval: 3e10, Retries: 2 } },
      rootfs: { type: 'layers', diff_ids: [sha256('a')] }, history: [{ created: '0001-01-01T00:00:00Z', created_by: 'COPY', empty_layer: true }],
    }), 'it');
    assert.deepEqual(document, {
      platform: { os: 'linux', arch: 'arm64', variant: 'v8' }, createdAtMs: 1_704_161_045_123,
      config: { user: 'www', env: ['A=1'], cmd: [], entrypoint: ['/e'], exposedPorts: ['80/tcp'], volumes: ['/data'], workingDir: '/w', labels: {}, stopSignal: 'SIGQUIT', healthCheck: { test: ['CMD', 'true'], intervalNs: 3e10, retries: 2 } },
      diffIds: [sha256('a')], history: [{ createdAtMs: 0, createdBy: 'COPY', comment: '', emptyLayer: true }],
    });
  });

  it('says what is wrong with it', () => {
    for (const [document, message] of [
      ['{', 'it is not valid JSON'], ['{"rootfs":{"diff_ids":["x"]}}', 'it names a layer by "x", which is no sha256 digest'], ['{"created":"yesterday"}', 'it: "created" is not a time'],
      ['{"config":{"Env":[1]}}', 'it: "Env" holds something that is not text'], ['{"config":{"Labels":{"a":1}}}', 'it: "Labels": "a" is not text'], ['{"os":5}', 'it: "os" is not text'],
    ]) assert.throws(() => parseImageDocument(document ?? '', 'it'), { code: 'ORCH_CORRUPT', message });
  });
});

describe('choosing among platforms', () => {
  const of = (os: string, arch: string, variant = ''): Descriptor => ({ mediaType: '', digest: `${os}/${arch}/${variant}`, sizeBytes: 0, annotations: {}, platform: { os, arch, variant } });

  it('takes the highest variant that runs, and other names of the same architecture', () => {
    const arms = [of('linux', 'arm', 'v5'), of('linux', 'arm', 'v7'), of('linux', 'arm', 'v6'), of('linux', 'arm64'), of('windows', 'amd64'), of('linux', 'amd64', 'v3')];
    assert.equal(choosePlatform(arms, { os: 'linux', arch: 'arm' })?.digest, 'linux/arm/v7');
    assert.equal(choosePlatform(arms, { os: 'linux', arch: 'arm', variant: 'v6' })?.digest, 'linux/arm/v6');
    assert.equal(choosePlatform(arms, { os: 'linux', arch: 'aarch64' })?.digest, 'linux/arm64/');
    assert.equal(choosePlatform(arms, { os: 'linux', arch: 'amd64' }), undefined, 'needs instructions of a newer processor');
    assert.equal(choosePlatform(arms, { os: 'linux', arch: 'amd64', variant: 'v4' })?.digest, 'linux/amd64/v3');
    assert.deepEqual(listPlatforms([of('linux', 'arm', 'v7'), of('unknown', 'unknown'), of('linux', 'arm', 'v7')]), ['linux/arm/v7']);
  });

  it('takes an image that does not say for one that fits', () => {
    assert.ok(runsOn({ os: '', arch: '', variant: '' }, { os: 'linux', arch: 'amd64' }));
  });
});

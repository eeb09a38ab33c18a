import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from './errors.ts';
import { familiarName, formatImageReference, parseImageReference } from './image-reference.ts';

const hex64 = 'a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4';
const digest = `sha256:${hex64}`;

const refusal = (text: string): string => {
  try {
    parseImageReference(text);
  } catch (error) {
    assert.ok(isOrchError(error, 'ORCH_INVALID'));
    assert.ok(error.message.startsWith(`"${text}" is not a valid image reference: `), error.message);
    return error.message.slice(error.message.indexOf('reference: ') + 'reference: '.length);
  }
  return assert.fail(`"${text}" was accepted`);
};

const accepted: readonly (readonly [text: string, domain: string, path: string, tag?: string | undefined, digest?: string])[] = [
  ['nginx', 'docker.io', 'library/nginx', 'latest'],
  ['nginx:1.27-alpine', 'docker.io', 'library/nginx', '1.27-alpine'],
  ['docker.io/nginx', 'docker.io', 'library/nginx', 'latest'],
  ['docker.io/library/nginx:1', 'docker.io', 'library/nginx', '1'],
  ['index.docker.io/nginx', 'docker.io', 'library/nginx', 'latest'],
  ['team/web', 'docker.io', 'team/web', 'latest'],
  ['a/b/c/d', 'docker.io', 'a/b/c/d', 'latest'],
  ['localhost/web', 'localhost', 'web', 'latest'],
  ['localhost:5000/web:2', 'localhost:5000', 'web', '2'],
  ['host:5000', 'docker.io', 'library/host', '5000'],
  ['docker.io', 'docker.io', 'library/docker.io', 'latest'],
  ['quay.io/coreos/etcd:v3.5.0', 'quay.io', 'coreos/etcd', 'v3.5.0'],
  ['10.0.0.1:5000/web', '10.0.0.1:5000', 'web', 'latest'],
  ['[fc00::1]:5000/team/web:1', '[fc00::1]:5000', 'team/web', '1'],
  ['[::1]/web', '[::1]', 'web', 'latest'],
  ['Registry/web', 'Registry', 'web', 'latest'],
  ['REGISTRY.example.com/web', 'REGISTRY.example.com', 'web', 'latest'],
  ['web@' + digest, 'docker.io', 'library/web', undefined, digest],
  ['web:1@' + digest, 'docker.io', 'library/web', '1', digest],
  ['host:5000/web@' + digest, 'host:5000', 'web', undefined, digest],
  ['a__b/c--d.e_f', 'docker.io', 'a__b/c--d.e_f', 'latest'],
  ['web:_1', 'docker.io', 'library/web', '_1'],
  ['web:UPPER', 'docker.io', 'library/web', 'UPPER'],
  [`web:${'x'.repeat(128)}`, 'docker.io', 'library/web', 'x'.repeat(128)],
  ['xn--n3h.com/web', 'xn--n3h.com', 'web', 'latest'],
  [`quay.io/${'a'.repeat(255)}`, 'quay.io', 'a'.repeat(255), 'latest'],
  [`quay.io/a/${hex64}`, 'quay.io', `a/${hex64}`, 'latest'],
];

const refused: readonly (readonly [text: string, why: RegExp])[] = [
  ['', /name is missing/],
  [':1', /name is missing/],
  [`@${digest}`, /name is missing/],
  ['Web', /must be lower case/],
  ['team/Web', /must be lower case/],
  ['quay.io/Team/web', /must be lower case/],
  ['web:', /a tag is/],
  ['web:-1', /a tag is/],
  ['web:.1', /a tag is/],
  ['web:a b', /a tag is/],
  [`web:${'x'.repeat(129)}`, /a tag is/],
  ['web@', /digest must be/],
  ['web@sha256:abc', /digest must be/],
  [`web@sha512:${hex64}`, /digest must be/],
  [`web@sha256:${hex64.toUpperCase()}`, /digest must be/],
  [`web@${digest}@${digest}`, /digest must be/],
  [' web', /lower-case words/],
  ['web ', /lower-case words/],
  ['a//b', /lower-case words/],
  ['/web', /lower-case words/],
  ['web/', /lower-case words/],
  ['quay.io/', /lower-case words/],
  ['a..b', /lower-case words/],
  ['a___b', /lower-case words/],
  ['-web', /lower-case words/],
  ['web-', /lower-case words/],
  ['_/web', /lower-case words/],
  ['-host.com/web', /"-host.com" is not a registry host/],
  ['host.com:x/web', /"host.com:x" is not a registry host/],
  ['ho_st.com/web', /is not a registry host/],
  ['[::1/web', /is not a registry host/],
  ['https://quay.io/web', /is not a registry host/],
  [hex64, /mistaken for an image id/],
  [`quay.io/${'a'.repeat(256)}`, /longer than 255/],
];

const shortened = (text: string): string => text.length > 60 ? `${text.slice(0, 57)}...` : text;

describe('parseImageReference', () => {
  for (const [text, domain, path, tag, wantedDigest] of accepted) {
    it(`reads "${shortened(text)}"`, () => {
      assert.deepEqual(parseImageReference(text), { domain, path, ...(tag ? { tag } : {}), ...(wantedDigest ? { digest: wantedDigest } : {}) });
    });
  }

  for (const [text, why] of refused) {
    it(`refuses "${shortened(text)}"`, () => assert.match(refusal(text), why));
  }
});

describe('formatImageReference', () => {
  it('leaves out what everybody leaves out', () => {
    assert.equal(formatImageReference(parseImageReference('docker.io/library/nginx:1')), 'nginx:1');
    assert.equal(formatImageReference(parseImageReference('docker.io/team/web')), 'team/web:latest');
    assert.equal(formatImageReference(parseImageReference(`quay.io/a/b:1@${digest}`)), `quay.io/a/b:1@${digest}`);
  });

  it('keeps docker.io when the rest would be read as a registry', () => {
    assert.equal(familiarName(parseImageReference('docker.io/localhost/web')), 'docker.io/localhost/web');
    assert.equal(familiarName(parseImageReference('docker.io/a.b/web')), 'docker.io/a.b/web');
    assert.equal(familiarName(parseImageReference('docker.io/library/a/b')), 'library/a/b');
  });

  it('gives a text that reads back as the same reference', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,6}([._-][a-z0-9]{1,4})?$/);
    const domains = fc.constantFrom('', 'docker.io/', 'localhost/', 'index.docker.io/', 'r.example.com:5000/', '[::1]:5000/', 'Host/');
    const names = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('/'));
    const tags = fc.oneof(fc.constant(''), fc.stringMatching(/^:\w[\w.-]{0,10}$/));
    const digests = fc.constantFrom('', `@${digest}`);
    fc.assert(fc.property(domains, names, tags, digests, (...parts) => {
      const reference = parseImageReference(parts.join(''));
      assert.deepEqual(parseImageReference(formatImageReference(reference)), reference);
    }));
  });
});

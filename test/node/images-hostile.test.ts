import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { tar } from '../../runtime/images/testing.ts';
import type { TestEntry } from '../../runtime/images/testing.ts';
import { UnpackSandbox } from '../../runtime/images/unpack-sandbox.ts';

describe('layers of random entries', () => {
  it('reaches nothing outside and fails with nothing but its own errors, whatever its entries are', async () => {
    const name = fc.array(fc.constantFrom('a', 'b', 'c', 'outside', 'secret', 'directory', '.', '..', '.wh.a', '.wh.secret', '.wh..wh..opq'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const target = fc.oneof(name, fc.constantFrom('..', '../outside', '../outside/secret', '../outside/directory', '/', '/proc/self/cwd', '.', 'a/..', 'SANDBOX/outside'));
    const entry = fc.record({ name, linkname: target, type: fc.constantFrom('file', 'directory', 'symlink', 'symlink', 'link', 'fifo', 'character-device'), mode: fc.constantFrom(0o644, 0o777, 0o4755), content: fc.constantFrom('', 'data') });
    await fc.assert(fc.asyncProperty(fc.array(entry, { minLength: 2, maxLength: 8 }), async (entries) => {
      using sandbox = new UnpackSandbox();
      const archive = await tar(entries.map(({ content, ...header }) => ({
        ...header, linkname: header.linkname.replace('SANDBOX', sandbox.root), ...(header.type === 'file' && { content }),
      } as TestEntry)));
      try {
        await sandbox.unpack(archive);
      } catch (error) {
        assert.ok(isOrchError(error) && ['ORCH_CORRUPT', 'ORCH_UNSUPPORTED'].includes(error.code), String(error));
      }
      sandbox.assertUntouched();
    }), { numRuns: 600 });
  });
});

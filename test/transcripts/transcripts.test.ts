import assert from 'node:assert/strict';
import { readFileSync, globSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'mocha';
import { formatTranscript, parseTranscript, runTranscript } from './run-transcript.ts';

/** UPDATE=1 rewrites what is below each `----`; read the difference before you keep it. */
describe('transcripts of a cluster', () => {
  for (const path of globSync(join(import.meta.dirname, '*.txt')).toSorted()) {
    it(basename(path, '.txt').replaceAll('-', ' '), async () => {
      const text = readFileSync(path, 'utf8');
      const { head, blocks } = parseTranscript(text);
      const actual = formatTranscript(head, await runTranscript(blocks));
      if (process.env['UPDATE'] === '1') writeFileSync(path, actual);
      else assert.equal(actual, text);
    });
  }
});

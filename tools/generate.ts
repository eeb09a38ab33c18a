import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../base/files.ts';
import { generatedFiles, repositoryRoot } from './docs/generated-files.ts';

/** Writes everything that is generated from something else: message code, then documents. Says what has changed. */

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
};

// A program of its own: what it writes depends on settings that are global to a process.
execFileSync(process.execPath, [join(import.meta.dirname, 'generate-proto.ts')], { stdio: 'inherit' });
for (const [path, text] of generatedFiles()) {
  const target = join(repositoryRoot, path);
  if (readIfThere(target) === text) continue;
  writeFileSync(target, text);
  console.log(`${path} has changed`);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderApiDoc } from '../generate-api-doc.ts';
import { architectureSections } from './architecture-sections.ts';
import { renderCliDoc } from './cli-doc.ts';
import { renderErrorsDoc } from './errors-doc.ts';
import { replaceSections } from './markdown.ts';

/** The repository's top folder. */
export const repositoryRoot = join(import.meta.dirname, '../..');

/** Every generated document, path → text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/api.md', renderApiDoc()],
    ['docs/cli.md', renderCliDoc()],
    ['docs/errors.md', renderErrorsDoc()],
    ['ARCHITECTURE.md', replaceSections(readFileSync(join(repositoryRoot, 'ARCHITECTURE.md'), 'utf8'), architectureSections())],
  ]);
}

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main as pbjs } from 'protobufjs-cli/pbjs.js';

/** The wire definitions in `proto/`; each becomes `<name>.js` and `<name>.d.ts`. */
const definitions = ['node', 'join'] as const;

const options = [
  '--target', 'static-module', '--wrap', 'esm', '--no-create', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl',
  '--no-service', '--force-number', '--null-semantics',
];

/** Generates encoders, decoders and their types for every definition of `protoFolder` into `outFolder`. What pbjs writes depends on settings of protobufjs that are global to a process, so this is a program of its own. */
async function generateProto(protoFolder: string, outFolder: string): Promise<void> {
  await mkdir(outFolder, { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), 'orch-generate-'));
  try {
    for (const name of definitions) {
      const source = join(protoFolder, `${name}.proto`);
      const root = ['--root', `orch-${name}`];
      // The types are made from the comments, which the code that runs does not need: two passes.
      await runPbjs([...options, ...root, '--dts', '--out', join(scratch, `${name}.js`), source]);
      await runPbjs([...options, ...root, '--no-comments', '--out', join(scratch, `${name}.plain.js`), source]);
      await writeFile(join(outFolder, `${name}.d.ts`), withoutLong(await readFile(join(scratch, `${name}.d.ts`), 'utf8')));
      await writeFile(join(outFolder, `${name}.js`), withWholeNumbers(await readFile(join(scratch, `${name}.plain.js`), 'utf8')));
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function runPbjs(args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    pbjs(args, (error) => { if (error) reject(error); else resolve(); });
  });
}

/** 64-bit fields are numbers here, so the types do not need the `long` package. */
function withoutLong(types: string): string {
  return types.replace('import Long = require("long");\n', '');
}

const IMPORT = 'import $protobuf from "protobufjs/minimal.js";\n';
const NUMBERS = '// 64-bit fields are plain numbers, also where a dependency brings the "long" package along.\n$protobuf.util.Long = null;\n$protobuf.configure();\n';
const DEFAULT_EXPORT = /\nexport \{\n {2}\$root as default\n\};\n$/;

/** Sets numbers before the defaults of messages are computed. Drops the default export, which no type declares. */
function withWholeNumbers(code: string): string {
  return code.replace(IMPORT, `${IMPORT}\n${NUMBERS}`).replace(DEFAULT_EXPORT, '\n');
}

const protoFolder = join(import.meta.dirname, '..', 'proto');
await generateProto(protoFolder, process.argv[2] ?? join(protoFolder, 'gen'));

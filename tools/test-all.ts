import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Runs every tier of tests in turn and ends with one line: `N passed, N failed, N skipped`. */

type Counts = { passed: number; failed: number; skipped: number };
type Tier = { name: string; argv: readonly string[]; /** A check counts as one test; mocha counts its own. */ kind: 'check' | 'mocha'; /** Why it can't run here, when it can't. */ skip?: string };

const root = join(import.meta.dirname, '..');
const program = (name: string): string => join(root, 'node_modules/.bin', name);
const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? {} : { skip: 'needs root' };

const tiers: readonly Tier[] = [
  { name: 'types', kind: 'check', argv: [program('tsc')] },
  { name: 'lint', kind: 'check', argv: [program('oxlint'), '--type-aware'] },
  { name: 'unused', kind: 'check', argv: [program('knip')] },
  { name: 'unit', kind: 'mocha', argv: [program('mocha')] },
  { name: 'node (root, namespaces, containers)', kind: 'mocha', argv: [program('mocha'), '--config', 'test/node/.mocharc.json'], ...needsRoot },
  { name: 'e2e (whole clusters in the lab)', kind: 'mocha', argv: [program('mocha'), '--config', 'test/e2e/.mocharc.json'], ...needsRoot },
  { name: 'vm (systemd, cgroup v2, crun, WireGuard)', kind: 'mocha', argv: [], skip: 'there are no virtual machine tests yet' },
];

async function runTier(tier: Tier): Promise<Counts> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let output = '';
  const [command = '', ...args] = tier.argv;
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, FORCE_COLOR: '0', PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` } });
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text; process.stdout.write(text); });
  child.on('error', () => resolve(127));
  child.on('close', (code) => resolve(code ?? 128));
  const exitCode = await promise;
  if (tier.kind === 'check') return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
  const plain = stripVTControlCharacters(output); // CI servers make runners colour what they print
  const count = (word: string): number => Number(new RegExp(`^\\s*(\\d+) ${word}`, 'm').exec(plain)?.[1] ?? 0);
  const counts = { passed: count('passing'), failed: count('failing'), skipped: count('pending') };
  // A runner that dies, or runs nothing, must not read as green.
  if (counts.failed === 0 && (exitCode !== 0 || counts.passed === 0)) counts.failed = 1;
  return counts;
}

if (!existsSync(program('tsc'))) {
  console.error('node_modules is missing: run deploy/setup.sh');
  process.exit(1);
}
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const notes: string[] = [];
for (const tier of tiers) {
  if (tier.skip !== undefined) {
    notes.push(`tier skipped: ${tier.name}: ${tier.skip}`);
    continue;
  }
  const startedMs = performance.now();
  console.log(`\n=== ${tier.name}`);
  const counts = await runTier(tier);
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key];
  notes.push(`${tier.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}
console.log(`\n${notes.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exit(total.failed > 0 ? 1 : 0);

import type { FlagSpec } from '../command.ts';

/** Values that a flag takes where its type says too little. */
const samples: Readonly<Record<string, string>> = {
  env: 'SAMPLE=1', mount: 'type=tmpfs,target=/sample', publish: 'mode=host,target=77', host: 'sample:10.0.0.9', ulimit: 'nofile=1:2', 'placement-pref': 'spread=node.labels.sample', name: 'other', mode: 'global', replicas: '5',
};

/** What names an item of a list that `service update` is to remove. */
const removals: Readonly<Record<string, string>> = { env: 'SAMPLE', mount: '/sample', publish: '77', ulimit: 'nofile' };

const byType: Readonly<Partial<Record<FlagSpec['type'], string>>> = { integer: '1', number: '1', bytes: '64m', duration: '7s', cpus: '0.7', string: 'sample', list: 'sample' };

/** A flag with a value that no service has yet, as words of a command line; the `-rm` of a list removes what its `-add` adds. */
export function sampleWords(name: string, flag: FlagSpec): string[] {
  const list = name.replace(/-(add|rm)$/, '');
  const value = (name.endsWith('-rm') ? removals[list] : undefined) ?? samples[list] ?? (flag.type === 'choice' ? flag.choices[0] : byType[flag.type]);
  return [value === undefined ? `--${name}` : `--${name}=${value}`];
}

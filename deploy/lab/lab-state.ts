import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, writeFileAtomic } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';

/** One node of a lab as its state file remembers it. */
export type LabNode = {
  /** 1, 2, … */
  readonly index: number;
  /** Also its hostname. */
  readonly name: string;
  /** Its address on the underlay. */
  readonly address: string;
  readonly role: 'manager' | 'worker';
  /** Host pid of the node's pid 1; 0 while it is off. */
  readonly initPid: number;
  /** Start time of that process (field 22 of /proc/PID/stat), so that a reused pid is not taken for it. */
  readonly initStartTime: string;
};

export type Lab = {
  readonly name: string;
  /** Directory of all that the lab keeps. */
  readonly directory: string;
  /** Network namespace of the underlay bridge. */
  readonly underlay: string;
  /** First three bytes of the underlay's /24, `10.88.0`. */
  readonly subnetPrefix: string;
  readonly nodes: readonly LabNode[];
};

const ROOT = '/var/lib/orch-lab';
const NAME_PATTERN = /^[a-z][a-z0-9-]{0,11}$/;

/** The lab of that name before anything of it exists. Labs of different names do not meet. */
export function newLab(name: string, nodes: readonly LabNode[], subnetPrefix: string): Lab {
  if (!NAME_PATTERN.test(name)) throw new OrchError('ORCH_INVALID', `"${name}" is not a valid lab name`, { hint: 'Use up to 12 lower-case letters, digits and dashes, a letter first' });
  return { name, directory: join(ROOT, name), underlay: `orch-${name}`, subnetPrefix, nodes };
}

export const dataDirOf = (lab: Lab, node: LabNode): string => join(lab.directory, node.name, 'data');
export const runDirOf = (lab: Lab, node: LabNode): string => join(lab.directory, node.name, 'run');
/** The node's API socket at a path that the host can use. */
export const socketOf = (lab: Lab, node: LabNode): string => join(runDirOf(lab, node), 'orch.sock');

export async function saveLab(lab: Lab): Promise<void> {
  await mkdir(lab.directory, { recursive: true, mode: 0o700 });
  await writeFileAtomic(join(lab.directory, 'lab.json'), JSON.stringify(lab, undefined, 2));
}

/** The lab as saved; undefined when there is none of that name. */
export async function findLab(name: string): Promise<Lab | undefined> {
  const { directory } = newLab(name, [], '');
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by saveLab only
    return JSON.parse(await readFile(join(directory, 'lab.json'), 'utf8')) as Lab;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The lab as saved. Throws ORCH_NOT_FOUND when it is not up. */
export async function requireLab(name: string): Promise<Lab> {
  const lab = await findLab(name);
  if (!lab) throw new OrchError('ORCH_NOT_FOUND', `There is no lab "${name}"`, { hint: 'Start one with `orch lab up`' });
  return lab;
}

export function requireNode(lab: Lab, reference: string): LabNode {
  const node = lab.nodes.find((candidate) => candidate.name === reference || String(candidate.index) === reference);
  if (!node) throw new OrchError('ORCH_NOT_FOUND', `The lab "${lab.name}" has no node ${reference}`, { hint: `It has ${lab.nodes.map((known) => known.index).join(', ')}` });
  return node;
}

/** The lab with one node replaced, saved. */
export async function saveNode(lab: Lab, node: LabNode): Promise<Lab> {
  const changed = { ...lab, nodes: lab.nodes.map((known) => known.index === node.index ? node : known) };
  await saveLab(changed);
  return changed;
}

export const forgetLab = (lab: Lab): Promise<void> => rm(lab.directory, { recursive: true, force: true });

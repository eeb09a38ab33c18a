import { createReadStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { OrchError } from '../../model/errors.ts';
import { describeAge, formatBytes } from '../../model/units.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import type { CommandContext } from '../command.ts';
import { defineCommand } from '../command.ts';
import type { DockerImageSummary } from '../docker-objects.ts';
import { getJson } from '../docker-objects.ts';
import type { Column } from '../list-output.ts';
import { filtersQuery, inspectFlags, listFlags, renderInspect, renderList, shortId } from '../list-output.ts';
import { printProgress } from './progress.ts';

type Row = { readonly image: DockerImageSummary; readonly repository: string; readonly tag: string };

export const imageList = defineCommand({
  path: ['image', 'ls'], aliases: ['list'], summary: 'List the images of this node', args: { usage: [] }, examples: ['orch image ls --digests'],
  flags: { ...listFlags, all: { type: 'boolean', short: 'a', help: 'accepted for Docker\'s sake' }, digests: { type: 'boolean', help: 'show digests' } },
  run: listImages,
});

export const images = defineCommand({ ...imageList, path: ['images'], aliases: [], examples: ['orch images'], run: listImages });

async function listImages({ client, clock }: CommandContext, _args: readonly string[], flags: { format: string | undefined; quiet: boolean; 'no-trunc': boolean; filter: readonly string[]; digests: boolean }): Promise<string> {
  const query = filtersQuery(flags.filter);
  const found = await getJson<DockerImageSummary[]>(client, query === '' ? '/images/json' : `/images/json?${query}`);
  const rows: Row[] = found.flatMap((image) => (image.RepoTags.length > 0 ? image.RepoTags : ['<none>:<none>']).map((name) => {
    const colon = name.lastIndexOf(':');
    return { image, repository: name.slice(0, colon), tag: name.slice(colon + 1) };
  }));
  const digest: Column<Row> = { heading: 'DIGEST', field: 'Digest', read: (row) => row.image.RepoDigests.find((text) => text.startsWith(`${row.repository}@`))?.split('@')[1] ?? '<none>' };
  const shown: Column<Row>[] = [
    { heading: 'REPOSITORY', field: 'Repository', read: (row) => row.repository },
    { heading: 'TAG', field: 'Tag', read: (row) => row.tag },
    ...(flags.digests ? [digest] : []),
    { heading: 'IMAGE ID', field: 'ID', read: (row) => shortId(row.image.Id, flags['no-trunc']) },
    { heading: 'CREATED', field: 'CreatedSince', read: (row) => describeAge(row.image.Created * 1000, clock.now()) },
    { heading: 'SIZE', field: 'Size', read: (row) => formatBytes(row.image.Size) },
  ];
  const text = renderList(rows, { shown, ...(flags.digests ? {} : { more: [digest] }) }, { format: flags.format, quiet: flags.quiet, idField: 'ID' });
  return flags.quiet ? [...new Set(text.split('\n'))].join('\n') : text;
}

/** Image names keep their slashes in paths. */
const imagePath = (name: string): string => `/images/${name.split('/').map(encodeURIComponent).join('/')}`;

export const imageInspect = defineCommand({
  path: ['image', 'inspect'], summary: 'Show everything about images', args: { usage: ['IMAGE...'] }, examples: ['orch image inspect demo:1'], flags: inspectFlags,
  async run({ client }, args, flags) {
    return renderInspect(await Promise.all(args.map((name) => client.json({ path: `${imagePath(name)}/json` }))), flags.format);
  },
});

export const imagePull = defineCommand({
  path: ['image', 'pull'], summary: 'Fetch an image from its registry', args: { usage: ['NAME[:TAG|@DIGEST]'] }, examples: ['orch image pull registry.lan:5000/demo:1', 'ORCH_REGISTRY_PASSWORD=... orch image pull --username ann registry.lan/demo:1'],
  flags: {
    platform: { type: 'string', value: 'OS/ARCH', help: 'platform to fetch, when the image has several' },
    quiet: { type: 'boolean', short: 'q', help: 'no progress' },
    username: { type: 'string', value: 'NAME', help: 'user of the registry; the password is read from ORCH_REGISTRY_PASSWORD' },
    'all-tags': { type: 'refused', help: 'all tags', why: 'name the tags one by one' },
    'disable-content-trust': { type: 'refused', help: 'content trust', why: 'content trust is not built; pull by digest' },
  },
  async run(context, args, flags) {
    const reference = parseImageReference(args[0] ?? '');
    const name = reference.domain === 'docker.io' ? `docker.io/${reference.path}` : `${reference.domain}/${reference.path}`;
    const query = new URLSearchParams({ fromImage: name, tag: reference.digest ?? reference.tag ?? 'latest', ...(flags.platform === undefined ? {} : { platform: flags.platform }) });
    const headers = flags.username === undefined ? {} : { 'X-Registry-Auth': Buffer.from(JSON.stringify({ username: flags.username, password: context.environmentVariable('ORCH_REGISTRY_PASSWORD') ?? '' })).toString('base64url') };
    return printProgress(context, { method: 'POST', path: `/images/create?${query.toString()}`, headers }, { quiet: flags.quiet });
  },
});

export const pull = defineCommand({ ...imagePull, path: ['pull'], examples: ['orch pull registry.lan:5000/demo:1'] });

export const imageLoad = defineCommand({
  path: ['image', 'load'], summary: 'Load images from an archive (of `docker save`, or an OCI layout)', args: { usage: ['[FILE]'] }, examples: ['orch image load demo.tar', 'docker save demo:1 | orch image load'],
  flags: { input: { type: 'string', short: 'i', value: 'FILE', help: 'archive to read (default: standard input)' }, quiet: { type: 'boolean', short: 'q', help: 'no progress' } },
  async run(context, args, flags) {
    const chunks = await openInput(context, flags.input ?? args[0]);
    return printProgress(context, { method: 'POST', path: `/images/load?quiet=${flags.quiet}`, upload: { contentType: 'application/x-tar', chunks } }, { quiet: flags.quiet });
  },
});

export const imageImport = defineCommand({
  path: ['image', 'import'], summary: 'Make an image of a root file system tar', args: { usage: ['FILE|-', '[NAME[:TAG]]'] },
  examples: ['orch image import --change \'CMD ["sh"]\' rootfs.tar demo:1'],
  flags: {
    change: { type: 'list', short: 'c', value: 'LINE', help: 'Dockerfile line to apply: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR' },
    message: { type: 'string', short: 'm', help: 'comment in the image\'s history' },
    platform: { type: 'string', value: 'OS/ARCH', help: 'platform of the image' },
  },
  async run(context, args, flags) {
    const [file, name] = args;
    const reference = name === undefined ? undefined : parseImageReference(name);
    const query = new URLSearchParams({ fromSrc: '-', ...(name === undefined ? {} : { repo: name.replace(/:[^:/]*$/, ''), tag: reference?.tag ?? 'latest' }), ...(flags.message === undefined ? {} : { message: flags.message }), ...(flags.platform === undefined ? {} : { platform: flags.platform }) });
    for (const change of flags.change) query.append('changes', change);
    const chunks = await openInput(context, file === '-' ? undefined : file);
    return printProgress(context, { method: 'POST', path: `/images/create?${query.toString()}`, upload: { contentType: 'application/x-tar', chunks } }, { quiet: false });
  },
});

async function openInput(context: CommandContext, file: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  if (file === undefined) return context.stdin();
  try {
    await access(file);
  } catch (error) {
    throw new OrchError('ORCH_USAGE', `Cannot read ${file}: there is no such file, or it may not be read`, { cause: error });
  }
  if ((await stat(file)).isDirectory()) throw new OrchError('ORCH_USAGE', `Cannot read ${file}: it is a directory, not an archive`, { hint: `Pack it: tar -C ${file} -c . | orch image …` });
  return createReadStream(file);
}

export const imageTag = defineCommand({
  path: ['image', 'tag'], summary: 'Give an image another name', args: { usage: ['IMAGE', 'NAME[:TAG]'] }, examples: ['orch image tag demo:1 registry.lan:5000/demo:1'], flags: {},
  async run({ client }, args) {
    const reference = parseImageReference(args[1] ?? '');
    const name = (args[1] ?? '').replace(/:[^:/]*$/, '');
    await client.json({ method: 'POST', path: `${imagePath(args[0] ?? '')}/tag?${new URLSearchParams({ repo: name, tag: reference.tag ?? 'latest' }).toString()}` });
    return undefined;
  },
});

export const imageRemove = defineCommand({
  path: ['image', 'rm'], aliases: ['remove'], summary: 'Remove images from this node', args: { usage: ['IMAGE...'] }, examples: ['orch image rm demo:1'],
  flags: { force: { type: 'boolean', short: 'f', help: 'even if it has several names' } },
  run: removeImages,
});

export const rmi = defineCommand({ ...imageRemove, path: ['rmi'], aliases: [], examples: ['orch rmi demo:1'] });

async function removeImages({ client }: CommandContext, args: readonly string[], flags: { force: boolean }): Promise<string> {
  const lines: string[] = [];
  for (const name of args) {
    const changes = await getJson<{ Untagged?: string; Deleted?: string }[]>(client, `${imagePath(name)}?force=${flags.force}`, { method: 'DELETE' });
    lines.push(...changes.map((change) => change.Untagged === undefined ? `Deleted: ${change.Deleted ?? ''}` : `Untagged: ${change.Untagged}`));
  }
  return lines.join('\n');
}

export const imageHistory = defineCommand({
  path: ['image', 'history'], summary: 'Show how an image was made', args: { usage: ['IMAGE'] }, examples: ['orch image history demo:1'], flags: { 'no-trunc': { type: 'boolean', help: 'do not shorten' }, format: listFlags.format, quiet: listFlags.quiet },
  async run({ client, clock }, args, flags) {
    type Step = { Id: string; Created: number; CreatedBy: string; Size: number; Comment: string };
    const steps = await getJson<Step[]>(client, `${imagePath(args[0] ?? '')}/history`);
    const shown: Column<Step>[] = [
      { heading: 'IMAGE', field: 'ID', read: (step) => step.Id === '<missing>' ? step.Id : shortId(step.Id, flags['no-trunc']) },
      { heading: 'CREATED', field: 'CreatedSince', read: (step) => describeAge(step.Created * 1000, clock.now()) },
      { heading: 'CREATED BY', field: 'CreatedBy', read: (step) => flags['no-trunc'] || step.CreatedBy.length < 45 ? step.CreatedBy : `${step.CreatedBy.slice(0, 44)}…` },
      { heading: 'SIZE', field: 'Size', read: (step) => formatBytes(step.Size) },
      { heading: 'COMMENT', field: 'Comment', read: (step) => step.Comment },
    ];
    return renderList(steps, { shown }, { format: flags.format, quiet: flags.quiet, idField: 'ID' });
  },
});

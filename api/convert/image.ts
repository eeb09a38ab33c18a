import type { Image } from '../../model/image.ts';
import { formatTime } from './time.ts';
import { withoutUndefined } from './without-undefined.ts';

const seconds = (atMs: number): number => Math.floor(atMs / 1000);

/** Docker's ImageSummary; `containers` is how many use it. */
export const dockerImageSummary = (image: Image, containers: number): object => ({
  Id: image.id, ParentId: '', RepoTags: image.tags, RepoDigests: image.repoDigests, Created: seconds(image.createdAtMs),
  Size: image.sizeBytes, SharedSize: -1, Labels: image.config.labels, Containers: containers,
});

/** Docker's ImageInspect. */
export function dockerImage(image: Image): object {
  const [architecture = '', ...variant] = image.platform.arch.split('/');
  return withoutUndefined({
    Id: image.id, RepoTags: image.tags, RepoDigests: image.repoDigests, Comment: image.history.at(-1)?.comment ?? '',
    Created: formatTime(image.createdAtMs), Config: dockerImageConfig(image),
    Architecture: architecture, Variant: variant.length === 0 ? undefined : variant.join('/'), Os: image.platform.os,
    Size: image.sizeBytes, RootFS: { Type: 'layers', Layers: image.diffIds },
  });
}

function dockerImageConfig({ config }: Image): object {
  const { healthCheck } = config;
  const set = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, {}]));
  return withoutUndefined({
    User: config.user, ExposedPorts: config.exposedPorts.length === 0 ? undefined : set(config.exposedPorts), Env: config.env,
    Cmd: config.cmd, Entrypoint: config.entrypoint, Volumes: config.volumes.length === 0 ? undefined : set(config.volumes),
    WorkingDir: config.workingDir, Labels: config.labels, StopSignal: config.stopSignal || undefined,
    Healthcheck: healthCheck && withoutUndefined({
      Test: healthCheck.test, Interval: healthCheck.intervalNs, Timeout: healthCheck.timeoutNs, StartPeriod: healthCheck.startPeriodNs, Retries: healthCheck.retries,
    }),
  });
}

/** Docker's history of an image, newest step first. The size of one layer among several is not known: -1, as Docker writes for what it has not computed. */
export function dockerHistory(image: Image): object[] {
  const layers = image.history.filter(({ emptyLayer }) => !emptyLayer).length;
  const sizeOf = (emptyLayer: boolean): number => emptyLayer ? 0 : layers === 1 ? image.sizeBytes : -1;
  return image.history.toReversed().map((step, index) => ({
    Id: index === 0 ? image.id : '<missing>', Created: seconds(step.createdAtMs), CreatedBy: step.createdBy,
    Tags: index === 0 ? image.tags : [], Size: sizeOf(step.emptyLayer), Comment: step.comment,
  }));
}

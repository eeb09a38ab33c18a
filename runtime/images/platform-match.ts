import type { DescribedPlatform, Descriptor } from './oci-documents.ts';

/** A platform to run on; `variant` as in OCI (`v7`, `v8`, `v2`), empty for the architecture's usual one. */
export type WantedPlatform = { readonly os: string; readonly arch: string; readonly variant?: string };

const archAliases = new Map([['x86_64', 'amd64'], ['x86-64', 'amd64'], ['aarch64', 'arm64'], ['armhf', 'arm'], ['armel', 'arm'], ['i386', '386'], ['i686', '386']]);
const usualVariants = new Map([['arm', 'v7'], ['arm64', 'v8'], ['amd64', 'v1']]);

/** The descriptor that suits `wanted` best: its own variant, else the highest lower one, which newer machines run too; undefined when none does. */
export function choosePlatform(descriptors: readonly Descriptor[], wanted: WantedPlatform): Descriptor | undefined {
  let best: { readonly descriptor: Descriptor; readonly level: number } | undefined;
  for (const descriptor of descriptors) {
    if (descriptor.platform === undefined || !runsOn(descriptor.platform, wanted)) continue;
    const level = variantLevel(descriptor.platform);
    if (best === undefined || level > best.level) best = { descriptor, level };
  }
  return best?.descriptor;
}

/** True when a machine of `wanted` runs programs for `platform`. Unknown parts of `platform` fit anything. */
export function runsOn(platform: DescribedPlatform, wanted: WantedPlatform): boolean {
  if (platform.os !== '' && platform.os !== wanted.os) return false;
  if (platform.arch === '') return true;
  return normalArch(platform.arch) === normalArch(wanted.arch) && variantLevel(platform) <= variantLevel(wanted);
}

/** `linux/arm/v7`. */
export const formatPlatform = ({ os, arch, variant }: WantedPlatform): string => [os, arch, variant].filter(Boolean).join('/');

/** The platforms there are, for people; attestations and other unknowns left out. */
export const listPlatforms = (descriptors: readonly Descriptor[]): string[] =>
  [...new Set(descriptors.flatMap(({ platform }) => platform === undefined || platform.os === 'unknown' || platform.os === '' ? [] : [formatPlatform(platform)]))];

const normalArch = (arch: string): string => archAliases.get(arch) ?? arch;

/** `v6` → 6. */
function variantLevel({ arch, variant }: WantedPlatform): number {
  const text = variant ?? '';
  const level = Number.parseInt((text === '' ? usualVariants.get(normalArch(arch)) ?? 'v0' : text).replace(/^v/, ''), 10);
  return Number.isNaN(level) ? 0 : level;
}

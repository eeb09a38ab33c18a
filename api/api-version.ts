import { OrchError } from '../model/errors.ts';

/** The API of a request: major is 1 for all that exist. */
export type ApiVersion = { readonly major: number; readonly minor: number };

export const MAX_API_VERSION: ApiVersion = { major: 1, minor: 56 };
export const MIN_API_VERSION: ApiVersion = { major: 1, minor: 24 };

export const formatApiVersion = ({ major, minor }: ApiVersion): string => `${major}.${minor}`;

/** True when `version` is `minor` of API 1 or newer. */
export const isAtLeast = (version: ApiVersion, minor: number): boolean => version.major > 1 || version.minor >= minor;

/** Takes the version off a URL: `/v1.41/info?x` is `/info?x` at 1.41. A URL without one asks for the newest. */
export function splitApiVersion(url: string): { readonly url: string; readonly version: ApiVersion } {
  const match = /^\/v(\d{1,4})\.(\d{1,4})(?=[/?]|$)/.exec(url);
  if (!match) return { url, version: MAX_API_VERSION };
  return { url: url.slice(match[0].length) || '/', version: { major: Number(match[1]), minor: Number(match[2]) } };
}

/** Throws ORCH_INVALID with Docker's sentence when orch does not speak `version`. */
export function requireApiVersion(version: ApiVersion): void {
  const order = (other: ApiVersion): number => version.major - other.major || version.minor - other.minor;
  if (order(MAX_API_VERSION) > 0) {
    throw new OrchError('ORCH_INVALID', `client version ${formatApiVersion(version)} is too new. Maximum supported API version is ${formatApiVersion(MAX_API_VERSION)}`);
  }
  if (order(MIN_API_VERSION) < 0) {
    throw new OrchError('ORCH_INVALID', `client version ${formatApiVersion(version)} is too old. Minimum supported API version is ${formatApiVersion(MIN_API_VERSION)}, please upgrade your client to a newer version`);
  }
}

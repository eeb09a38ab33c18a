/** One way to prove who one is, as a registry asks for it (RFC 9110, section 11). */
export type AuthChallenge = { /** Lower case. */ readonly scheme: string; readonly parameters: ReadonlyMap<string, string> };

const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
const parameterPattern = new RegExp(`^(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}|[^\\s,"]+))\\s*,?\\s*`);
const schemePattern = new RegExp(`^(${token})(?:\\s+|$|\\s*,\\s*)`);

/** Reads a WWW-Authenticate header, which may hold several challenges; what cannot be read is left out. */
export function parseChallenges(header: string): AuthChallenge[] {
  const challenges: AuthChallenge[] = [];
  let rest = header.trim();
  while (rest !== '') {
    const scheme = schemePattern.exec(rest);
    if (scheme === null) break;
    rest = rest.slice(scheme[0].length);
    const parameters = new Map<string, string>();
    for (let parameter = parameterPattern.exec(rest); parameter !== null; parameter = parameterPattern.exec(rest)) {
      parameters.set((parameter[1] ?? '').toLowerCase(), parameter[2]?.replace(/\\(.)/g, '$1') ?? parameter[3] ?? '');
      rest = rest.slice(parameter[0].length);
    }
    challenges.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters });
  }
  return challenges;
}

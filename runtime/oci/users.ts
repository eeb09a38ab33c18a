import { OrchError } from '../../model/errors.ts';
import type { OciUser } from './oci-spec.ts';

/** /etc/passwd and /etc/group of a root file system; empty text where it has none. */
export type UserFiles = { readonly passwd: string; readonly group: string };

export type ResolvedUser = OciUser & { /** Home directory; `/` when the user is not in passwd. */ readonly home: string };

type PasswdEntry = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string };
type GroupEntry = { readonly name: string; readonly gid: number; readonly members: readonly string[] };

const MAX_ID = 2 ** 31 - 1;

/**
 * Who a container runs as, from `USER[:GROUP]` as a user or an image writes it (names or numbers; empty is root) and names or
 * numbers of further groups. As Docker: a name must be in the container's own files, a number need not; without GROUP the
 * user's own group and all groups that list the user count. Throws ORCH_INVALID naming what is unknown.
 */
export function resolveUser(user: string, groups: readonly string[], files: UserFiles): ResolvedUser {
  const passwd = parsePasswd(files.passwd);
  const known = parseGroup(files.group);
  const { userPart, groupPart } = splitUser(user);
  const entry = findUser(userPart, passwd);
  const uid = entry?.uid ?? parseId(userPart);
  if (uid === undefined) throw new OrchError('ORCH_INVALID', `Cannot find user "${userPart}" in the image's /etc/passwd`, { hint: 'Use the number of the user' });
  const gid = groupPart === '' ? entry?.gid ?? 0 : groupId(groupPart, known);
  const listed = groupPart === '' && entry ? known.filter(({ members }) => members.includes(entry.name)) : [];
  const additional = new Set([...listed.map((group) => group.gid), ...groups.map((group) => groupId(group, known))]);
  return { uid, gid, additionalGids: [...additional], home: entry?.home || '/' };
}

function splitUser(user: string): { userPart: string; groupPart: string } {
  const [, userPart = '', groupPart = ''] = /^([^:]*):?(.*)$/s.exec(user) ?? [];
  return { userPart: userPart || '0', groupPart };
}

/** A name wins over a number, as in Docker. */
function findUser(text: string, passwd: readonly PasswdEntry[]): PasswdEntry | undefined {
  return passwd.find(({ name }) => name === text) ?? passwd.find(({ uid }) => uid === parseId(text));
}

function groupId(text: string, known: readonly GroupEntry[]): number {
  const gid = known.find(({ name }) => name === text)?.gid ?? parseId(text);
  if (gid === undefined) throw new OrchError('ORCH_INVALID', `Cannot find group "${text}" in the image's /etc/group`, { hint: 'Use the number of the group' });
  return gid;
}

function parseId(text: string): number | undefined {
  const id = /^\d+$/.test(text) ? Number(text) : NaN;
  return id <= MAX_ID ? id : undefined;
}

function parsePasswd(text: string): PasswdEntry[] {
  return colonLines(text).flatMap(([name = '', , uid = '', gid = '', , home = '']) => {
    const ids = [parseId(uid), parseId(gid)];
    return ids[0] === undefined || ids[1] === undefined ? [] : [{ name, uid: ids[0], gid: ids[1], home }];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return colonLines(text).flatMap(([name = '', , id = '', members = '']) => {
    const gid = parseId(id);
    return gid === undefined ? [] : [{ name, gid, members: members.split(',').filter(Boolean) }];
  });
}

const colonLines = (text: string): string[][] => text.split('\n').filter((line) => line.includes(':')).map((line) => line.trim().split(':'));

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dockerArchive, tar, type TestEntry } from '../../runtime/images/testing.ts';

const directories = ['bin', 'etc', 'tmp', 'root', 'proc', 'sys', 'dev'];
const commands = (): string[] => execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n').filter((name) => name !== 'busybox');

/** Makes a root file system with all commands of busybox-static at `path`. */
export function makeBusyboxRoot(path: string): void {
  for (const name of directories) mkdirSync(`${path}/${name}`, { recursive: true });
  copyFileSync('/bin/busybox', `${path}/bin/busybox`);
  for (const name of commands()) if (!existsSync(`${path}/bin/${name}`)) symlinkSync('busybox', `${path}/bin/${name}`);
}

const file = (name: string, content: string | Buffer, mode = 0o644): TestEntry => ({ name, content, mode, uid: 0, gid: 0 });

/** A layer with all commands of busybox-static, as a tar archive. */
export const busyboxLayer = (): Promise<Buffer> => tar([
  ...directories.map((name): TestEntry => ({ name: `${name}/`, type: 'directory', mode: name === 'tmp' ? 0o1777 : 0o755, uid: 0, gid: 0 })),
  file('bin/busybox', readFileSync('/bin/busybox'), 0o755),
  ...commands().map((name): TestEntry => ({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox', uid: 0, gid: 0 })),
  file('etc/passwd', 'root:x:0:0:root:/wrong:/bin/sh\n'), file('etc/covered', 'never seen'),
]);

/** A `docker save` archive of the image `busybox`: that layer, and above it one that replaces its users and covers one of its files. */
export async function busyboxArchive(): Promise<Buffer> {
  const users = await tar([
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nweb:x:101:102:Web:/srv:/bin/sh\n'),
    file('etc/group', 'root:x:0:\nweb:x:102:\nlogs:x:103:web\n'),
    file('etc/.wh.covered', ''),
  ]);
  return await dockerArchive([{ tags: ['busybox:latest'], layers: [await busyboxLayer(), users], config: { Env: ['FROM_IMAGE=yes'], Cmd: ['sh'] } }]);
}

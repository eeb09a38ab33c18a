import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';

/** Makes a root file system with all commands of busybox-static at `path`. */
export function makeBusyboxRoot(path: string): void {
  for (const name of ['bin', 'etc', 'tmp', 'root', 'proc', 'sys', 'dev']) mkdirSync(`${path}/${name}`, { recursive: true });
  copyFileSync('/bin/busybox', `${path}/bin/busybox`);
  for (const name of execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (!existsSync(`${path}/bin/${name}`)) symlinkSync('busybox', `${path}/bin/${name}`);
  }
}

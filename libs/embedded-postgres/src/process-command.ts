import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { codeOf } from './embedded-postgres-error';

/** Is there a process of this id, whoever owns it? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * The command line of a live process; empty for a dead one and for a zombie, which still answers signals: in a container whose first process does
 * not reap, a killed server stays one for ever. Undefined when it cannot be told.
 */
export function commandOf(pid: number): string | undefined {
  if (!isAlive(pid)) return '';
  if (process.platform === 'win32') return undefined;
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const line = execFileSync('ps', ['-o', 'stat=,command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line.startsWith('Z') ? '' : line;
  } catch {
    return isAlive(pid) ? undefined : '';
  }
}

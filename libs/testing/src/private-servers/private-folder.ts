import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FolderOwner {
  readonly uid: number;
  readonly gid: number;
}

/** The named user of this machine, when this process may become another one; undefined: go on as who we are. */
export function userNamed(name: string): FolderOwner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((text) => text.split(':'))
    .find(([user]) => user === name);
  return line && { uid: Number(line[2]), gid: Number(line[3]) };
}

/** A new folder below the system's temporary one, of this owner. */
export function privateFolder(purpose: string, owner?: FolderOwner): string {
  const folder = mkdtempSync(join(tmpdir(), `tidings-${purpose}-`));
  if (owner) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/** Some program that just ended may still be closing a file. */
export const removeFolder = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });

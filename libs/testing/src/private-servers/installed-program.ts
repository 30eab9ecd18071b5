import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps each version of PostgreSQL aside; the newest counts. */
const POSTGRES_VERSIONS = '/usr/lib/postgresql';
/** What is on the PATH there is a wrapper that changes to another user and takes the machine's own node for granted. */
const RABBITMQ = '/usr/lib/rabbitmq/bin';

function postgresFolders(): string[] {
  try {
    const versions = readdirSync(POSTGRES_VERSIONS).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(POSTGRES_VERSIONS, version, 'bin'));
  } catch {
    return []; // another system: the PATH has it, or it is not installed
  }
}

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The path of a server's program on this machine; undefined when it is not installed. */
export function installedProgram(name: string): string | undefined {
  const folders = [RABBITMQ, ...postgresFolders(), ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

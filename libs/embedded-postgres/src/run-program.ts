import { spawn } from 'node:child_process';
import type { ServerUser } from './server-user';

export interface ProgramResult {
  /** Undefined when it could not be started at all. */
  readonly exitCode: number | undefined;
  /** What it wrote to both, or why it could not be started. */
  readonly output: string;
}

/** Without whatever would steer the server's programs elsewhere: PGDATA, PGPORT, a locale that this machine lacks. */
const cleanEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG|LD_LIBRARY_PATH|LD_PRELOAD|NODE_)/.test(name)),
  ),
  LC_ALL: 'C',
});

/** Runs a program to its end, as `user`. Never rejects. `cwd` must be one that the user may enter. */
export function runProgram(
  file: string,
  args: readonly string[],
  cwd: string,
  user: ServerUser | undefined,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      ...user,
    });
    let output = '';
    const collect = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => resolve({ exitCode: undefined, output: error.message }));
    child.once('close', (exitCode) => resolve({ exitCode: exitCode ?? undefined, output: output.trim() }));
  });
}

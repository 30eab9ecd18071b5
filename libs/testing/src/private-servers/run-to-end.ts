import { spawn } from 'node:child_process';
import { TidingsError } from '@tidings/core';
import type { FolderOwner } from './private-folder';

export interface RunToEnd {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: FolderOwner | undefined;
  readonly cwd?: string;
}

/** Resolves with what a program wrote, when it ended with 0; rejects with it otherwise. */
export async function runToEnd({ program, args, env, user, cwd }: RunToEnd): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
    ...user,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return output;
  throw new TidingsError('TIDINGS_TEST_PROGRAM', `${program} ${args.join(' ')} ended with ${code}: ${output}`);
}

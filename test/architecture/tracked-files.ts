import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './workspace';

const BINARY = /\.(png|jpe?g|ico|woff2?|gz|tgz|zip)$/i;

/** Every text file that is, or with the next commit would be, in the repository. */
export const trackedFiles = (): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter(
      (file) =>
        file !== '' && !BINARY.test(file) && existsSync(join(ROOT, file)) && statSync(join(ROOT, file)).isFile(),
    )
    .sort();

/** Lines that are not blank, comments included: what a reader scrolls past. */
const linesOf = (text: string): number => text.split('\n').filter((line) => line.trim() !== '').length;

export function sizes(texts: readonly string[]): { median: number; p90: number; max: number } {
  const lines = texts.map(linesOf).sort((a, b) => a - b);
  const at = (share: number): number => lines[Math.min(lines.length - 1, Math.floor(lines.length * share))] ?? 0;
  return { median: at(0.5), p90: at(0.9), max: at(1) };
}

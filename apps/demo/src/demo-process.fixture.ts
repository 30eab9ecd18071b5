import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { until } from '@tidings/testing';

const ROOT = resolve(__dirname, '../../..');

/** Builds what is stale, as `npm run demo` does. */
export function buildDemo(): void {
  execFileSync(process.execPath, ['scripts/demo.mjs', '--help'], { cwd: ROOT, stdio: 'pipe' });
}

/** The demo as a person starts it, in a process group of its own. */
export class DemoProcess {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;

  constructor(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
    this.child = spawn(process.execPath, ['apps/demo/dist/main.js', ...args], {
      cwd: ROOT,
      env: { ...process.env, DATABASE_URL: undefined, RABBITMQ_URL: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout!.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.child.stderr!.on('data', (data: Buffer) => (this.stderr += data.toString()));
    this.exited = new Promise((done) => this.child.once('close', done));
  }

  /** The page's address, when it is printed. */
  async address(): Promise<string> {
    const find = (): string | undefined => /http:\/\/localhost:\d+/.exec(this.stdout)?.[0];
    await until('the page is served', () => find() !== undefined || this.child.exitCode !== null, { withinMs: 90_000 });
    const address = find();
    if (!address) throw new Error(`the demo left with ${this.child.exitCode}: ${this.stderr.slice(-2_000)}`);
    return address;
  }

  /** The processes that it started and that run. */
  children(): number[] {
    const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    const rows = table
      .trim()
      .split('\n')
      .map((row) => row.trim().split(/\s+/).map(Number));
    return rows.flatMap(([pid, parent]) => (parent === this.child.pid && isRunning(pid!) ? [pid!] : []));
  }
}

export interface CheckOutcome {
  readonly exitCode: number | null;
  /** The last line. */
  readonly figures: Readonly<Record<string, unknown>>;
  readonly output: string;
}

export async function runCheck(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<CheckOutcome> {
  const demo = new DemoProcess(args, env);
  const exitCode = await demo.exited;
  const last = demo.stdout.trimEnd().split('\n').at(-1) ?? '';
  const output = `${demo.stdout}\n${demo.stderr.slice(-3_000)}`;
  if (!last.startsWith('{')) throw new Error(`the check left with ${exitCode} and without its last line:\n${output}`);
  return { exitCode, figures: JSON.parse(last) as Record<string, unknown>, output };
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie has left; only its parent has not looked yet.
  return !/^\s*Z/.test(execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }));
}

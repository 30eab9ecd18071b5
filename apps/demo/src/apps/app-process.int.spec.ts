import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@tidings/testing';
import { AppProcess, AppStartError } from './app-process';

/** An app as `serve` makes one: says that it is ready, leaves when its parent is gone or says so. */
const APP = `
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.env.STUBBORN || process.exit());
if (process.env.FAULT === 'exit') process.exit(3);
if (process.env.FAULT === 'die') setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);
console.log('pid ' + process.pid + ' fault ' + process.env.FAULT);
process.send({ ready: true, port: 4711 });
setInterval(() => {}, 1000);
`;

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('AppProcess', () => {
  let folder: string;
  let lines: string[];
  const started: AppProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidings-app-'));
    writeFileSync(join(folder, 'app.cjs'), APP);
    lines = [];
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((app) => app.stop()));
    rmSync(folder, { recursive: true });
  });

  const appWith = (more: Partial<ConstructorParameters<typeof AppProcess>[0]> = {}): AppProcess => {
    const app = new AppProcess({
      name: 'app',
      entry: join(folder, 'app.cjs'),
      env: { FAULT: undefined },
      print: (line) => lines.push(line),
      ...more,
    });
    started.push(app);
    return app;
  };

  it('is ready when the app says so, and gone after the stop', async () => {
    const app = appWith();
    await app.start();
    expect(app.port).toBe(4711);
    const pid = app.pid!;
    await Promise.all([app.stop(), app.stop()]);
    expect(isRunning(pid)).toBe(false);
    expect(app.port).toBeUndefined();
    expect(app.starts).toBe(1);
  });

  it('starts it again when it dies, without the fault of the first time', async () => {
    const app = appWith({ firstEnv: { FAULT: 'die' } });
    await app.start();
    await until('started again', () => app.starts === 2 && app.port !== undefined);
    expect(lines).toEqual([
      expect.stringMatching(/^pid \d+ fault die$/),
      expect.stringMatching(/^was ended by SIGKILL; started again/),
      expect.stringMatching(/^pid \d+ fault undefined$/),
    ]);
  });

  it('fails to start when the first process leaves before it is ready', async () => {
    const app = appWith({ env: { FAULT: 'exit' } });
    await expect(app.start()).rejects.toThrow(AppStartError);
    expect(app.starts).toBe(1);
  });

  it('kills one that does not leave', async () => {
    const app = appWith({ env: { STUBBORN: '1' }, drainMs: 200 });
    await app.start();
    const pid = app.pid!;
    await app.stop();
    expect(isRunning(pid)).toBe(false);
  });

  it('does not start one again that was asked to stop while it waited for its restart', async () => {
    const app = appWith({ firstEnv: { FAULT: 'die' } });
    await app.start();
    await until('it died', () => lines.some((line) => line.includes('SIGKILL')));
    await app.stop();
    expect(app.starts).toBe(1);
  });

  it('leaves no orphan when its supervisor is killed', async () => {
    // The supervisor is a process of its own here: jest cannot kill itself.
    const pidFile = join(folder, 'pid');
    writeFileSync(
      join(folder, 'supervisor.cjs'),
      `const child = require('node:child_process').fork(${JSON.stringify(join(folder, 'app.cjs'))}, { detached: true, stdio: 'ignore' });
       child.on('message', () => { require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid)); process.send('ready'); });`,
    );
    const supervisor = fork(join(folder, 'supervisor.cjs'), { env: { ...process.env, STUBBORN: '1' } });
    await until('the app runs', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(isRunning(pid)).toBe(true);
    supervisor.kill('SIGKILL');
    await until('the app has left', () => !isRunning(pid));
  });
});

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describeOn, server } from '@tidings/testing';

const SCRIPT = resolve(__dirname, '../../../scripts/logs.mjs');

describeOn('kafka', 'npm run logs', (url) => {
  const logs = (...args: string[]) => {
    const env = { ...process.env, KAFKA_URL: url, DATABASE_URL: server('postgres') };
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, '--json', ...args], { encoding: 'utf8', env }); // prettier-ignore
    return {
      status,
      stderr,
      figures: () => JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>,
    };
  };

  it('counts each window exactly, though a collector is killed', () => {
    const { status, figures } = logs('--count', '6000');
    expect(figures()).toMatchObject({ sent: 6_000, counted: 6_000, killed: 1, ok: true });
    expect(status).toBe(0);
  }, 240_000);

  it('names an argument that makes no sense', () => {
    const { status, stderr } = logs('--count', 'many');
    expect(stderr).toMatch(/logs\.count/);
    expect(status).toBe(2);
  }, 60_000);
});

import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describeOn } from '@tidings/testing';

const ROOT = resolve(__dirname, '../../..');
const COUNT = 60;

const squares = (...args: string[]) => {
  const command = [join(ROOT, 'scripts/squares.mjs'), '--count', String(COUNT), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  const last = stdout.trimEnd().split('\n').at(-1) || '{}';
  return { status, stdout, stderr, report: JSON.parse(last) as Record<string, unknown> };
};

function sumsUp(transport: string): void {
  const { status, stdout, stderr, report } = squares('--transport', transport);
  expect({ report, stderr }).toMatchObject({ report: { squares: transport, count: COUNT, ok: true } });
  expect(report).toMatchObject({ members: 4, left: 4, sum: report['sumOfSquares'] });
  expect(BigInt(report['sum'] as string)).toBeGreaterThan(0n);
  expect(stdout).toContain(transport === 'memory' ? 'in this one process' : 'a process each');
  expect(status).toBe(0);
}

describe('squares in memory', () => {
  it('sums up, in one process, and says so', () => sumsUp('memory'), 60_000);

  it('fails when somebody has not left in time', () => {
    const { status, stdout, stderr } = squares('--count', '1000000', '--within', '1');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('expected everybody to have left within 1000 ms');
  }, 60_000);

  it('refuses a transport that it does not know', () => {
    const { status, stderr } = squares('--transport', 'pigeon');
    expect(status).not.toBe(0);
    expect(stderr).toContain('Allowed choices are memory, postgres, rabbitmq');
  }, 60_000);
});

for (const server of ['postgres', 'rabbitmq', 'redis', 'kafka', 'rocketmq', 'mqtt'] as const) {
  describeOn(server, 'squares', () => {
    it(`sums up by ${server}, each member a process, and all leave by the broadcast`, () => sumsUp(server), 200_000);
  });
}

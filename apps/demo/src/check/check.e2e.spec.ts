import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeOn, server } from '@tidings/testing';
import { buildDemo, runCheck } from '../demo-process.fixture';

jest.setTimeout(150_000);

const SABOTAGES = [
  ['no-inbox', 'duplicateApplied'],
  ['ack-first', 'lost'],
  ['no-order', 'outOfOrder'],
] as const;

const clean = { check: 'gift', duplicateApplied: 0, lost: 0, outOfOrder: 0, match: true };

let folder: string;
beforeAll(() => {
  buildDemo();
  folder = mkdtempSync(join(tmpdir(), 'tidings-check-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const python = spawnSync('python3', ['--version']).status === 0;

type Environment = () => Record<string, string | undefined>;

const checkOn = (transport: string, env: Environment) => (...args: string[]) => runCheck(['--transport', transport, '--data', folder, ...args], env()); // prettier-ignore

function makesUpForLossesOn(transport: string, env: Environment): void {
  const check = checkOn(transport, env);

  it('has gifts sent again that were lost after they were confirmed, and none whose transaction rolled back', async () => {
    const { exitCode, figures, output } = await check('--check', '120', '--callback', '--drop', '0.05');
    const faults = { dropped: 6, unconfirmed: 0, rolledBackInInbox: 0, outOfOrder: null };
    expect({ ...figures, output }).toMatchObject({ ...clean, accepted: 120, ...faults });
    expect(figures['resends']).toBeGreaterThanOrEqual(6);
    expect(figures['rolledBack']).toBeGreaterThanOrEqual(3);
    expect(output).toContain('the order is not judged');
    expect(exitCode).toBe(0);
  }, 240_000);
}

function behavesOn(transport: 'postgres' | 'rabbitmq', env: Environment): void {
  const check = checkOn(transport, env);

  it('passes, with ranking killed between commit and ack', async () => {
    const { exitCode, figures, output } = await check('--check', '200');
    expect(figures).toMatchObject({ ...clean, accepted: 200 });
    expect(figures['duplicatesDelivered']).toBeGreaterThan(0);
    expect(figures['delivered']).toBe(600 + Number(figures['duplicatesDelivered']));
    expect(output).toContain('ranking was started 2 times');
    expect(exitCode).toBe(0);
  });

  it('parks the rooms of poison gifts, and redrives them when the fault is mended', async () => {
    const { exitCode, figures, output } = await check('--check', '150', '--poison', '0.02');
    expect({ ...figures, output }).toMatchObject({ ...clean, accepted: 150, parked: 3, redriven: 3 });
    expect(output).toContain('3 rooms were parked at badges behind poison gifts, 3 were redriven');
    expect(exitCode).toBe(0);
  });

  makesUpForLossesOn(transport, env);

  it.each(SABOTAGES)('notices %s', async (sabotage, figure) => {
    const { exitCode, figures } = await check('--check', '120', '--sabotage', sabotage);
    expect(figures[figure]).toBeGreaterThan(0);
    expect(exitCode).toBe(1);
  });
}

describeOn('postgres', 'the check on the PostgreSQL transport', (url) => {
  behavesOn('postgres', () => ({ DATABASE_URL: url }));

  it("takes anyone's gifts", async () => {
    const file = join(folder, 'gifts.ndjson');
    const gifts = Array.from({ length: 40 }, (_, index) => ({
      roomId: `room of ours ${index % 3}`,
      viewerId: `viewer ${index % 7}`,
      gift: index % 2 === 0 ? 'rose' : 'dragon',
      quantity: 1 + (index % 4),
      idempotencyKey: `ours-${Math.min(index, 37)}`, // the last two repeat a key, but not its gift: refused
    }));
    writeFileSync(file, gifts.map((gift) => `${JSON.stringify(gift)}\n`).join(''));
    const { exitCode, figures, output } = await runCheck(['--gifts', file, '--data', folder], { DATABASE_URL: url });
    expect(figures).toMatchObject({ ...clean, accepted: 38 });
    expect(output).toContain('2 refused');
    expect(exitCode).toBe(0);
  });

  (python ? it : it.skip)('another language comes to the same sums', () => {
    const checked = readdirSync(join(folder, 'check'))
      .filter((file) => /^\w+\.ndjson$/.test(file))
      .sort();
    const script = resolve(__dirname, '../../../../examples/recompute.py');
    const output = execFileSync('python3', [script, join(folder, 'check', checked.at(-1)!)], { encoding: 'utf8' });
    expect(output.trimEnd().split('\n').at(-1)).toBe('ok');
  });
});

describeOn('rabbitmq', 'the check on RabbitMQ', (url) => {
  const env = () => ({ DATABASE_URL: server('postgres'), RABBITMQ_URL: url });
  behavesOn('rabbitmq', env);

  it('receives nothing while no relay runs', async () => {
    const { exitCode, figures } = await runCheck(
      ['--transport', 'rabbitmq', '--data', folder, '--check', '20', '--no-relay'],
      env(),
    );
    expect(figures).toMatchObject({ accepted: 20, delivered: 0, lost: 60, match: false });
    expect(exitCode).toBe(1);
  });
});

describeOn('redis', 'the check on Redis', (url) => {
  makesUpForLossesOn('redis', () => ({ DATABASE_URL: server('postgres'), REDIS_URL: url }));
});

describeOn('kafka', 'the check on Kafka', (url) => {
  makesUpForLossesOn('kafka', () => ({ DATABASE_URL: server('postgres'), KAFKA_URL: url }));
});

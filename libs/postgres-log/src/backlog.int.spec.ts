import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fnv1a32, LANES } from '@tidings/core';
import { describeOn } from '@tidings/testing';
import type { PoolClient } from 'pg';
import type { BacklogOrders, BacklogReport } from './backlog-process.fixture';
import type { MessageLog } from './message-log';
import { SpecLog } from './spec-log.fixture';

/** `npm run test:heavy` and CI ask for a million. */
const COUNT = Number(process.env['TIDINGS_BACKLOG'] ?? 100_000);
const ROUNDS = 3;
/** Keys of four different lanes. */
const KEYS = ['a', 'b', 'c', 'd'];

describeOn('postgres', `a backlog of ${COUNT} messages, with a transaction pinned for the whole run`, (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  let destination: number;
  const pins: PoolClient[] = [];

  beforeAll(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
    destination = await log.destination('main', 'gift.sent');
    await spec.pool.query(
      `insert into ${spec.schema}.message
         (created_at, destination, bucket, crc32c, version, segment, lane, id, aggregatetype, aggregateid, type, source, content_type, payload)
       select clock_timestamp(), $1, current_date, 1, 1, 0, ($3::smallint[])[1 + n % 4], n::text, 'gift.sent', ($4::text[])[1 + n % 4],
              'gift.sent', 'spec', 'application/json', convert_to(repeat('x', 200), 'UTF8')
         from generate_series(1, $2::int) n`,
      [destination, COUNT, KEYS.map((key) => fnv1a32(key) % LANES), KEYS],
    );
  }, 300_000);
  afterAll(async () => {
    for (const pin of pins) {
      await pin.query('rollback');
      pin.release();
    }
    await spec.close();
  }, 60_000);

  const pin = async (sql: string): Promise<void> => {
    const client = await spec.pool.connect();
    pins.push(client);
    await client.query(sql);
  };

  const round = async (name: string): Promise<BacklogReport> => {
    const child = fork(join(__dirname, 'backlog-process.fixture.ts'), {
      // A small heap: what it then takes is what it holds, not what V8 is in no hurry to collect.
      execArgv: [
        '--max-old-space-size=64',
        '--max-semi-space-size=4',
        '--require',
        join(__dirname, '../../testing/register-sources.cjs'),
      ],
    });
    const orders: BacklogOrders = { url, schema: spec.schema, name, destination, count: COUNT };
    child.send(orders);
    const [report] = (await once(child, 'message')) as [BacklogReport];
    await once(child, 'exit');
    return report;
  };

  it.each([
    ['a snapshot', 'begin isolation level repeatable read; select 1'],
    ['a transaction id', 'begin; select pg_current_xact_id()'],
  ])(
    'one that holds %s: nothing lost, the last batch costs what the first did, memory stays flat',
    async (held, sql) => {
      await pin(sql);
      const reports: BacklogReport[] = [];
      for (let n = 0; n < ROUNDS; n++) reports.push(await round(`${held} ${n}`));
      process.stdout.write(`${reports.map((report) => JSON.stringify({ held, ...report })).join('\n')}\n`);
      for (const { read, gaps, rssMb } of reports) {
        expect({ read, gaps }).toEqual({ read: COUNT, gaps: 0 });
        expect(rssMb).toBeLessThanOrEqual(150);
      }
      // The machine is noisy: the best of three, all of them printed.
      expect(Math.min(...reports.map(({ firstMs, lastMs }) => lastMs / firstMs))).toBeLessThanOrEqual(1.2);
    },
    600_000,
  );
});

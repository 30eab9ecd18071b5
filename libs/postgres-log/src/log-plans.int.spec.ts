import type { Queryable, Statement } from '@tidings/core';
import { describeOn, testMessage, until } from '@tidings/testing';
import { DueMover } from './due-mover';
import { silentLogger, systemClock } from '@tidings/core';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Plan Rows': number;
  readonly Plans?: readonly Plan[];
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

/** Tables whose rows grow with the backlog or with a pinned horizon; cursors, members and destinations are few. */
const GROWS = /^(message_\d|due)$/;

describeOn('postgres', "the log's plans", (url) => {
  it('no statement of a reader or a writer scans what grows, though nobody gathered statistics', async () => {
    const spec = await SpecLog.open(url);
    const log = spec.log();
    const statements = new Map<string, Statement>();
    const recording = (on: Queryable): void => {
      const query = on.query.bind(on);
      on.query = (statement) => {
        statements.set(statement.text, statement);
        return query(statement);
      };
    };
    recording(log.store);
    const destination = await log.destination('main', 'gift.sent');
    const entries = Array.from({ length: 400 }, (_, n) => entryOf(testMessage({ key: `k${n % 3}` }), destination));
    for (let n = 0; n < 5; n++) await log.appendAlone(entries);
    await log.appendAlone([entryOf(testMessage(), destination, { delayMs: 20 })]);
    const mover = new DueMover(log, { pollMs: 50, clock: systemClock, logger: silentLogger });
    await mover.start();
    const taken = new Taken();
    const reader = await spec.reader(log, destination, taken.deliver, { batch: 50 });
    await until('all', () => taken.ids.length === 2_001);
    await log.backlog(100);
    await log.appendAlone(entries.slice(0, 1));
    await until('one more', () => taken.ids.length === 2_002);
    await Promise.all([reader.stop(), mover.stop()]);

    const plans = new Map<string, Plan[]>();
    for (const { text, values } of [...statements.values()]) {
      if (!/^(select|insert|update|delete|with)/i.test(text.trim()) || /pg_notify/.test(text)) continue;
      const { rows } = await log.store.query<{ 'QUERY PLAN': { Plan: Plan }[] }>({
        text: `explain (format json) ${text}`,
        values: values ?? [],
      });
      plans.set(text, nodes(rows[0]!['QUERY PLAN'][0]!.Plan));
    }
    expect(plans.size).toBeGreaterThan(10);
    const offences = [...plans].flatMap(([text, all]) =>
      all
        .filter((node) => /Seq Scan|Bitmap/.test(node['Node Type']) && GROWS.test(node['Relation Name'] ?? ''))
        .map((node) => `${node['Node Type']} on ${node['Relation Name']}: ${text}`),
    );
    expect(offences).toEqual([]);
    const page = [...plans].find(([text]) => text.includes('order by seq limit'))![1];
    expect(page.map((node) => node['Node Type'])).not.toContain('Sort');
    await spec.close();
  }, 60_000);
});

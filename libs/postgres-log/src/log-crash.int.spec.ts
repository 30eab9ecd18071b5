import { quoted } from '@tidings/core';
import { describePrivate, testMessage, until } from '@tidings/testing';
import { Client } from 'pg';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';

const LONG_MS = 180_000;
const PATIENCE_MS = 60_000;

describePrivate('postgres', 'reading the log, when the database crashes under a reader that lives', (server) => {
  const specs: SpecLog[] = [];
  afterEach(async () => {
    for (const spec of specs.splice(0)) await spec.close();
  });
  const client = async (): Promise<Client> => {
    const connected = new Client({ connectionString: server().url });
    connected.on('error', () => undefined); // the crash
    await connected.connect();
    return connected;
  };

  it(
    'a transaction that gets an id which the crash has taken back is not taken for read',
    async () => {
      const admin = await client();
      await admin.query("alter system set wal_writer_delay = '10s'"); // what does not wait for the disk does not reach it
      await admin.query('select pg_reload_conf()');
      const spec = await SpecLog.open(server().url);
      specs.push(spec);
      const log = spec.log();
      let sweeps = 0;
      let held = false;
      const query = log.store.query.bind(log.store);
      log.store.query = (statement) => {
        const sweep = statement.text.includes('as target, w.*') || statement.name?.endsWith('.look') === true;
        if (sweep && held) return Promise.reject(new Error('its connection is not back yet'));
        sweeps += Number(sweep);
        return query(statement);
      };
      const destination = await log.destination('main', 'gift.sent');
      const taken = new Taken();
      await spec.reader(log, destination, taken.deliver, { leaseMs: 9_000, pollMs: 50 });
      const append = async (): Promise<string> => {
        const message = testMessage({ key: 'room-1' });
        await log.appendAlone([entryOf(message, destination)]);
        return message.id;
      };
      const before = await append();
      await until('the first is read', () => taken.ids.includes(before));
      await admin.query('set synchronous_commit = off');
      const unflushed = async (): Promise<boolean> => {
        for (let n = 0; n < 10; n++) await admin.query('select pg_current_xact_id()');
        const { rows } = await admin.query<{ bytes: string }>(
          'select pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn() as bytes',
        );
        return Number(rows[0]!.bytes) > 6_000; // whole pages are flushed, so this is as much as there can be
      };
      await until('many ids are only in memory', unflushed, { everyMs: 0 });
      const then = sweeps;
      await until('the reader has seen those ids', () => sweeps > then + 1);
      const { rows: seen } = await admin.query<{ xid: string }>(
        'select pg_snapshot_xmax(pg_current_snapshot())::text as xid',
      );
      held = true;
      await server().crash();
      await server().start();
      let after = '';
      await until('the database takes a message', async () => {
        after = await append().catch(() => '');
        return after !== '';
      });
      const { rows } = await log.store.query<{ xid: string }>({
        text: `select xid::text from ${quoted(log.store.schema)}.message where id = $1`,
        values: [after],
      });
      expect(Number(rows[0]!.xid)).toBeLessThan(Number(seen[0]!.xid)); // given again: the spec tests what it says
      held = false;
      await until('it is read', () => taken.ids.includes(after), { withinMs: PATIENCE_MS });
      await admin.end().catch(() => undefined);
    },
    LONG_MS,
  );
});

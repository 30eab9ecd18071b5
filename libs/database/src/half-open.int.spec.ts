import { randomUUID } from 'node:crypto';
import { silentLogger, type Store, systemClock } from '@tidings/core';
import { describeOn, TcpProxy, until } from '@tidings/testing';
import { Client, Pool } from 'pg';
import { PgListener } from './pg-listener';
import { pg } from './pg-store';

const statement = (text: string) => ({ text });

/** A connection that neither answers nor ends: a fail-over behind an address, a firewall that forgot it. Keep-alive is answered by what is in between. */
describeOn('postgres', 'a half-open connection', (url) => {
  let proxy: TcpProxy;
  beforeEach(async () => void (proxy = await TcpProxy.to(url)));
  afterEach(() => proxy.close());

  it('is given up by a statement of Tidings’ own after its time-out; the next one works', async () => {
    const pool = new Pool({ connectionString: proxy.url, max: 1, query_timeout: 500 });
    pool.on('error', () => undefined);
    const store: Store = pg(pool, { connections: 1, logger: silentLogger });
    await store.query(statement('select 1'));
    proxy.freeze();
    await expect(store.query(statement('select 1'))).rejects.toThrow(/timeout/i);
    expect((await store.query(statement('select 1'))).rowCount).toBe(1);
    await Promise.all([store.close(), pool.end()]);
  }, 60_000);

  it('is given up by the listener after a heartbeat that is not answered, and it hears again', async () => {
    const channel = `half-open ${randomUUID()}`;
    const listener = new PgListener(() => new Client({ connectionString: proxy.url }), systemClock, silentLogger, 200);
    const heard: (string | undefined)[] = [];
    await listener.listen(channel, (payload) => void heard.push(payload));
    await until('it listens', () => heard.length === 1);
    proxy.freeze();
    await until('it listens anew', () => heard.length === 2, { withinMs: 30_000 });
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query('select pg_notify($1, $2)', [channel, 'again']);
    await until('it hears', () => heard.includes('again'));
    await Promise.all([other.end(), listener.close()]);
    expect(heard).toEqual([undefined, undefined, 'again']);
  }, 60_000);
});

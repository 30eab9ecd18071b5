import { ContractError, NotInTransactionError } from '@tidings/core';
import { pg, withTransaction } from '@tidings/database';
import { memory } from '@tidings/memory';
import { describeOn } from '@tidings/testing';
import { Pool } from 'pg';
import { Outbox } from './outbox';
import { logOf } from '@tidings/postgres-log';
import { MessageFactory, silentLogger, systemClock } from '@tidings/core';
import { GiftSent, SpecOutbox } from './spec-outbox.fixture';

describeOn('postgres', 'the outbox', (url) => {
  let spec: SpecOutbox;
  let outbox: Outbox;
  const gift = (n: number) => ({ giftId: `g${n}`, roomId: `room-${n % 3}`, n });

  beforeEach(async () => {
    spec = await SpecOutbox.open(url);
    outbox = spec.outbox({ main: memory() });
  });
  afterEach(() => spec.close());

  const gifts = async (): Promise<number> =>
    (await spec.dataSource.query<unknown[]>(`select 1 from ${spec.schema}.gift`)).length;
  const save = `insert into `;

  it("joins an EntityManager's transaction: the row and the message commit together, or neither", async () => {
    await spec.dataSource.transaction(async (manager) => {
      await manager.query(`${save} ${spec.schema}.gift values ('g1')`);
      await outbox.within(manager).publish(GiftSent, gift(1));
    });
    expect([await gifts(), await spec.rows()]).toEqual([1, 1]);
    const mistake = spec.dataSource.transaction(async (manager) => {
      await manager.query(`${save} ${spec.schema}.gift values ('g2')`);
      await outbox.within(manager).publish(GiftSent, gift(2));
      throw new Error('changed its mind');
    });
    await expect(mistake).rejects.toThrow('changed its mind');
    expect([await gifts(), await spec.rows()]).toEqual([1, 1]);
  });

  it("joins a QueryRunner's transaction", async () => {
    const runner = spec.dataSource.createQueryRunner();
    await runner.startTransaction();
    await outbox.within(runner).publish(GiftSent, gift(1));
    expect(await spec.rows()).toBe(0);
    await runner.commitTransaction();
    await runner.release();
    expect(await spec.rows()).toBe(1);
  });

  it("joins a pg client's transaction", async () => {
    const pool = new Pool({ connectionString: url });
    const store = pg(pool, { schema: spec.schema });
    const factory = new MessageFactory('gift-api', systemClock);
    const ours = new Outbox({
      log: logOf(store, systemClock, silentLogger),
      factory,
      transports: {},
      routes: () => [{ transport: 'main' }],
    });
    await withTransaction(pool, (client) => ours.within(client).publish(GiftSent, gift(1)));
    expect(await spec.rows()).toBe(1);
    const client = await pool.connect();
    expect(() => ours.within(client)).toThrow(NotInTransactionError);
    client.release();
    await store.close();
    await pool.end();
  });

  it('refuses outside a transaction, and says the way out', () => {
    expect(() => outbox.within(spec.dataSource.manager)).toThrow(NotInTransactionError);
    expect(() => outbox.within(spec.dataSource.manager)).toThrow(/dataSource\.transaction/);
    expect(() => outbox.within(undefined)).toThrow(NotInTransactionError);
  });

  it('one INSERT for many messages; a bad payload among them writes nothing', async () => {
    const statements: string[] = [];
    await spec.dataSource.transaction(async (manager) => {
      const joined = spec.store.join(manager);
      const counting: typeof joined = {
        query: (statement) => (statements.push(statement.text), joined.query(statement)),
        afterCommit: (hook) => joined.afterCommit(hook),
      };
      jest.spyOn(spec.store, 'join').mockReturnValueOnce(counting);
      await outbox.within(manager).publishAll([1, 2, 3].map((n) => ({ contract: GiftSent, payload: gift(n) })));
    });
    expect(statements).toHaveLength(1);
    expect(await spec.rows()).toBe(3);
    const bad = spec.dataSource.transaction((manager) =>
      outbox.within(manager).publishAll([
        { contract: GiftSent, payload: gift(4) },
        { contract: GiftSent, payload: { giftId: 'x', roomId: 'y' } as never },
      ]),
    );
    await expect(bad).rejects.toThrow(ContractError);
    await expect(bad).rejects.toThrow(/gift\.sent v1: n:/);
    expect(await spec.rows()).toBe(3);
  });

  it('a message with two routes is written for each', async () => {
    const both = spec.outbox({ main: memory(), logs: memory() });
    await spec.dataSource.transaction((manager) => both.within(manager).publish(GiftSent, gift(1)));
    expect(await spec.rows()).toBe(2);
  });

  it('a first publish to a new topic works on the last connection of the pool', async () => {
    const runners = Array.from({ length: 10 }, () => spec.dataSource.createQueryRunner());
    await Promise.all(runners.map((runner) => runner.startTransaction()));
    await outbox.within(runners[0]).publish(GiftSent, gift(1));
    await Promise.all(runners.map((runner) => runner.commitTransaction()));
    await Promise.all(runners.map((runner) => runner.release()));
    expect(await spec.rows()).toBe(1);
  });
});

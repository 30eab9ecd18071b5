import { randomBytes } from 'node:crypto';
import { Inject, Injectable, Scope } from '@nestjs/common';
import { type INestApplicationContext } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { ClsPluginTransactional, Propagation, Transactional, TransactionHost } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { defineMessage, type MessageContext, NotInTransactionError, quoted } from '@tidings/core';
import { clsAmbient, clientOf, joinable, migrate, pg, typeorm } from '@tidings/database';
import { Outbox } from '@tidings/outbox';
import { postgres } from '@tidings/postgres';
import { describeOn, until } from '@tidings/testing';
import { ClsModule, ClsService } from 'nestjs-cls';
import { Pool } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { InjectOutbox } from './decorators/inject-outbox.decorator';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingModule } from './messaging.module';
import { boot, closeAll, eager, inMemory } from './test-application.fixture';

const NoteMade = defineMessage('note.made', { schema: z.object({ text: z.string() }) });
const NoteRead = defineMessage('note.read', { schema: z.object({ text: z.string() }) });

type Host = TransactionHost<TransactionalAdapterTypeOrm>;

/** What a user's code looks like: no handle is passed anywhere. */
@Injectable()
class Notes {
  constructor(
    private readonly txHost: TransactionHost<TransactionalAdapterTypeOrm>,
    @InjectOutbox() private readonly outbox: Outbox,
  ) {}

  @Transactional()
  async make(text: string, then: () => Promise<unknown> | void = () => undefined): Promise<void> {
    await this.write(text);
    await then();
  }

  @Transactional(Propagation.RequiresNew)
  async makeApart(text: string): Promise<void> {
    await this.write(text);
  }

  @Transactional(Propagation.Nested)
  async makeNested(text: string, then: () => void = () => undefined): Promise<void> {
    await this.write(text);
    then();
  }

  async write(text: string): Promise<void> {
    await this.txHost.tx.query('insert into note values ($1)', [text]);
    await this.outbox.publish(NoteMade, { text });
  }
}

const fail = (): never => {
  throw new Error('no');
};
let onNote: (text: string, notes: Notes, context: MessageContext) => Promise<void> | void;
let read: string[];

@Injectable()
class ReadsNotes {
  constructor(
    private readonly notes: Notes,
    private readonly txHost: TransactionHost<TransactionalAdapterTypeOrm>,
    @InjectOutbox() private readonly outbox: Outbox,
  ) {}

  @OnMessage(NoteMade, { group: 'readers', retry: eager(3) })
  async handle({ text }: { text: string }, context: MessageContext): Promise<void> {
    await this.mark(text);
    await onNote(text, this.notes, context);
  }

  @Transactional()
  async mark(text: string): Promise<void> {
    await this.txHost.tx.query('insert into mark values ($1, pg_backend_pid())', [text]);
    await this.outbox.publish(NoteRead, { text });
  }
}

@Injectable()
class Archive {
  @OnMessage(NoteRead, { group: 'archive' })
  note({ text }: { text: string }): void {
    read.push(text);
  }
}

/** Made anew for each message; the decorated method itself is transactional. */
@Injectable({ scope: Scope.REQUEST })
class CountsNotes {
  constructor(
    @Inject(REQUEST) private readonly context: MessageContext,
    private readonly txHost: TransactionHost<TransactionalAdapterTypeOrm>,
  ) {}

  @OnMessage(NoteMade, { group: 'counters' })
  @Transactional()
  async count({ text }: { text: string }): Promise<void> {
    const { rows } = await clientOf(this.context).query<{ pid: number }>('select pg_backend_pid() as pid');
    await this.txHost.tx.query('insert into counted values ($1, pg_backend_pid() = $2)', [text, rows[0]!.pid]);
  }
}

describeOn('postgres', 'the ambient transaction of nestjs-cls', (url) => {
  const schema = `ambient_${randomBytes(4).toString('hex')}`;
  let dataSource: DataSource;
  let app: INestApplicationContext;
  let notes: Notes;

  const start = async (adapt: (adapter: TransactionalAdapterTypeOrm) => TransactionalAdapterTypeOrm) => {
    const adapter = adapt(new TransactionalAdapterTypeOrm({ dataSourceToken: DataSource }));
    const messaging = MessagingModule.forRootAsync({
      inject: [DataSource, TransactionHost],
      useFactory: (source: DataSource, txHost: Host) => {
        const store = typeorm(source, { schema, connections: 2, ambient: clsAmbient(txHost) });
        return inMemory({ stores: { default: store }, transports: { main: postgres({ store }) }, migrate });
      },
    });
    const database = {
      module: class DatabaseModule {},
      global: true,
      providers: [{ provide: DataSource, useValue: dataSource }],
      exports: [DataSource],
    };
    const cls = ClsModule.forRoot({ global: true, plugins: [new ClsPluginTransactional({ adapter })] });
    app = await boot(messaging, { imports: [database, cls], providers: [Notes, ReadsNotes, Archive, CountsNotes] });
    notes = app.get(Notes);
  };

  beforeAll(async () => {
    dataSource = new DataSource({ type: 'postgres', url, poolSize: 8, extra: { options: `-c search_path=${schema}` } });
    await dataSource.initialize();
    await dataSource.query(`create schema ${quoted(schema)}`);
    await dataSource.query('create table note (text text)');
    await dataSource.query('create table mark (text text, pid int)');
    await dataSource.query('create table counted (text text, joined boolean)');
    await start(joinable);
  });
  beforeEach(async () => {
    onNote = () => undefined;
    read = [];
    await dataSource.query('truncate note, mark, counted');
  });
  afterAll(async () => {
    await closeAll();
    await dataSource.query(`drop schema ${quoted(schema)} cascade`);
    await dataSource.destroy();
  });

  const texts = async (table: string): Promise<string[]> =>
    (await dataSource.query<{ text: string }[]>(`select text from ${table} order by text`)).map(({ text }) => text);
  const archived = (...expected: string[]) =>
    until(`${expected.join(', ')} archived`, () => read.length >= expected.length, { withinMs: 30_000 }).then(() =>
      expect([...read].sort()).toEqual(expected),
    );
  const counted = (count: number) =>
    until('counted', async () => (await texts('counted')).length === count, { withinMs: 30_000 });

  it('publishes with the commit, and nothing with a rollback', async () => {
    await expect(notes.make('never', fail)).rejects.toThrow('no');
    await notes.make('once');
    await archived('once');
    expect([await texts('note'), await texts('mark')]).toEqual([['once'], ['once']]);
  });

  it('Required joins, Nested is rolled back alone, RequiresNew commits alone', async () => {
    const outer = notes.make('a', async () => {
      await notes.make('b');
      await expect(notes.makeNested('never', fail)).rejects.toThrow('no');
      await notes.makeNested('c');
      await notes.makeApart('d');
      await archived('d');
    });
    await outer;
    await archived('a', 'b', 'c', 'd');
    const rolledBack = notes.make('never', async () => {
      await notes.make('never');
      await notes.makeNested('never');
      await notes.makeApart('e');
      fail();
    });
    await expect(rolledBack).rejects.toThrow('no');
    await archived('a', 'b', 'c', 'd', 'e');
    expect(await texts('note')).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('several requests at once do not see each other’s transaction', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `n${String(n).padStart(2, '0')}`);
    const settled = await Promise.allSettled(
      names.map((text, n) =>
        notes.make(text, async () => {
          await app.get<Host>(TransactionHost).tx.query('select pg_sleep($1)', [(n % 5) / 200]); // they end in another order than they began
          await notes.make(`${text}+`);
          if (n % 3 === 0) fail();
        }),
      ),
    );
    const committed = names.filter((_, n) => n % 3 !== 0).flatMap((text) => [text, `${text}+`]);
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(4);
    await archived(...committed);
    expect(await texts('note')).toEqual(committed);
  });

  it('a handler’s @Transactional() code is in the inbox’s transaction: rolled back with it, and committed once', async () => {
    const pids: Promise<unknown>[] = [];
    onNote = async (text, inner, context) => {
      if (text !== 'outer') return;
      pids.push(clientOf(context).query('select pg_backend_pid() as pid, text from mark'));
      await inner.make(`inner ${context.attempt}`);
      await expect(inner.makeNested('never', fail)).rejects.toThrow('no');
      if (context.attempt < 3) await inner.makeApart(`apart ${context.attempt}`).then(fail);
    };
    await notes.make('outer');
    await archived('apart 1', 'apart 2', 'inner 3', 'outer');
    expect(await texts('note')).toEqual(['apart 1', 'apart 2', 'inner 3', 'outer']);
    expect(await texts('mark')).toEqual(['apart 1', 'apart 2', 'inner 3', 'outer']);
    const { rows } = (await pids.at(-1)) as { rows: { text: string }[] };
    expect(rows.filter(({ text }) => text === 'outer')).toHaveLength(1); // seen on the inbox's own connection, before the commit
  });

  it('a request-scoped handler whose method is @Transactional() joins as well', async () => {
    await notes.make('x');
    await counted(1);
    await archived('x');
    expect(await dataSource.query('select text, joined from counted')).toEqual([{ text: 'x', joined: true }]);
  });

  it('a handler sees nothing of the publisher’s context in the same process', async () => {
    const cls = app.get(ClsService);
    const seen: unknown[] = [];
    onNote = () => void seen.push(cls.get('user'));
    await cls.run(async () => {
      cls.set('user', 'ada');
      await notes.make('y');
      await archived('y');
    });
    expect(seen).toEqual([undefined]);
  });

  it('refuses to publish where no transaction is open, with the way out', async () => {
    const refused = notes.write('never').catch((error: unknown) => error);
    expect(await refused).toBeInstanceOf(NotInTransactionError);
    expect(String(await refused)).toMatch(/outside a transaction .* publish inside/);
    expect(await texts('note')).toEqual(['never']); // the insert was one of its own: the refused publish alone is not undone
    await dataSource.query('truncate note');
  });

  it('a store without ambient refuses, and names it', async () => {
    const pool = new Pool({ connectionString: url, max: 1 });
    for (const store of [typeorm(dataSource, { schema }), pg(pool, { schema })])
      expect(() => store.joinCurrent()).toThrow(/has no ambient; use outbox\.within\(handle\).*clsAmbient/);
    expect(() => typeorm(dataSource, { ambient: (() => undefined) as never })).toThrow('typeorm.ambient: expected');
    await pool.end();
  });

  it('an adapter that is not joinable fails its handlers with a word on how to make it so', async () => {
    await closeAll();
    const failures: string[] = [];
    const plain = new TransactionalAdapterTypeOrm({ dataSourceToken: DataSource }).optionsFactory(dataSource);
    let current: EntityManager | undefined;
    const ambient = clsAmbient({
      get tx() {
        return current;
      },
      withTransaction: (_propagation, options, work) =>
        plain.wrapWithTransaction(options as never, work, (tx) => void (current = tx)) as never,
    });
    const store = typeorm(dataSource, { schema, connections: 1, ambient });
    await store.run(() => Promise.resolve()).catch((error: unknown) => failures.push(String(error)));
    expect(failures).toEqual([expect.stringMatching(/make the plugin's adapter joinable/)]);
    await store.close();
  });
});

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type INestApplication, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  CallbackDesk,
  Confirmed,
  HttpResender,
  Recheck,
  RecheckingPublisher,
  type ResendQuestion,
  Subscribed,
} from '@tidings/callback';
import {
  dateOf,
  HEADERS,
  type MessageContext,
  type Store,
  systemClock,
  timestampOf,
  type Transport,
} from '@tidings/core';
import { clientOf, migrate } from '@tidings/database';
import { redis, type RedisTransport } from '@tidings/redis';
import { describeOn, Gate, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround } from '../handling/spec-ground.fixture';
import { MessagingModule } from '../messaging.module';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, type Gift, GiftSent, inMemory } from '../test-application.fixture';
import { CallbackModule } from './callback.module';
import { HttpResendModule } from './http-resend.module';
import { OnResend } from './on-resend.decorator';

const SERVICE = { graceMs: 50, againMs: 200, maxAgainMs: 200, everyMs: 50 };
/** However long a busy machine takes to handle what was sent again. */
const ASKS_ONCE = { againMs: 60_000, maxAgainMs: 60_000 };
const keys = { secrets: { old: 'o'.repeat(32), new: 'n'.repeat(32) }, signWith: 'new' };
const patient = { withinMs: 25_000 };
const SPEC_TIME = '2100-01-01T00:00:00.000Z';

@Injectable()
class Ranking {
  @OnMessage(GiftSent, { group: 'ranking' })
  async rank({ room, coins }: Gift, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into effect (room, coins) values ($1, $2)', [room, coins]);
  }
}

@Injectable()
class Shop {
  @OnResend(GiftSent)
  async again({ id }: ResendQuestion, context: MessageContext): Promise<Gift | undefined> {
    const { rows } = await clientOf(context).query<{ room: string }>('select room from closing where room = $1', [id]);
    return rows[0] && { room: id, coins: 1 };
  }
}

describeOn('postgres', 'Resend by HTTP', (url) => {
  let ground: SpecGround;
  let store: Store;
  let port: number;
  let senders: INestApplication[];
  let servers: Server[];

  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  beforeEach(() => {
    senders = [];
    servers = [];
    store = ground.store();
  });
  afterEach(async () => {
    for (const sender of senders) await sender.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await closeAll();
  });
  afterAll(() => ground.close());

  /** The sender's service, on a port of its own or on that one. */
  const startSender = async (
    at = 0,
    given: object = keys,
    main: Transport = ground.twin('postgres', store),
  ): Promise<INestApplication> => {
    const messaging = inMemory({ stores: { default: store }, transports: { main }, migrate, relay: { pollMs: 50 }, callback: { recheckAfterMs: 200 } }); // prettier-ignore
    @Module({
      imports: [MessagingModule.forRoot(messaging), HttpResendModule.forRootAsync({ useFactory: () => ({ keys: given as typeof keys }) })], // prettier-ignore
      providers: [Ranking, Shop],
    })
    class Sender {}
    const app = (await Test.createTestingModule({ imports: [Sender] }).compile()).createNestApplication();
    await app.listen(at, '127.0.0.1');
    port = ((app.getHttpServer() as Server).address() as AddressInfo).port;
    senders.push(app);
    return app;
  };
  const startService = async (more: object = {}, over?: Transport) => {
    const serviceStore = ground.store();
    const main = over ?? ground.twin('postgres', serviceStore);
    const serving = inMemory({ source: 'callback-service', stores: { default: serviceStore }, transports: { main }, migrate, relay: { pollMs: 50 } }); // prettier-ignore
    const http = { senders: { spec: `http://127.0.0.1:${port}/callback/resend` }, keys, timeoutMs: 2_000 };
    const app = await boot(MessagingModule.forRoot(serving), {
      imports: [CallbackModule.forRoot({ ...SERVICE, ...more, http })],
    });
    return { app, desk: app.get(CallbackDesk), letters: app.get(ApplicationDeadLetters) };
  };
  /** A message that got lost: its business is there, and its recheck comes. */
  const lose = async (app: INestApplication, id: string): Promise<void> => {
    await ground.query('insert into closing values ($1)', [id]);
    await ask(app, id);
  };
  const ask = (app: INestApplication, id: string) =>
    app.get(MessagePublisher).publish(Recheck, questionOf(id, { groups: ['ranking'], afterMs: 0 }));
  const questionOf = <More extends object>(id: string, more: More) => ({
    id,
    source: 'spec',
    type: GiftSent.type,
    topic: GiftSent.topic,
    key: id,
    bucket: dateOf(systemClock.now()),
    time: SPEC_TIME,
    headers: { [HEADERS.confirm]: '1' },
    transaction: null,
    ...more,
  });
  const answers = async (id: string): Promise<(string | null)[]> =>
    (await ground.query<{ answer: string | null }>(`select answer from ${ground.schema}.callback_check where payload->>'id' = $1`, [id])).map(({ answer }) => answer); // prettier-ignore
  const arrived = async (id: string): Promise<boolean> => (await ground.effects(id)).length === 1;

  it('sends what was lost, tells what never happened, and waits for what is undecided', async () => {
    ground.transport('postgres', store, {});
    const sender = await startSender();
    const { desk } = await startService(ASKS_ONCE);
    const rechecking = sender.get(RecheckingPublisher);
    const publish = (id: string, then: () => Promise<void>) =>
      store.run(async (transaction) => {
        await rechecking.within(transaction).publish(GiftSent, { room: id, coins: 1 }, { id, groups: ['ranking'] });
        await then();
      });

    await lose(sender, 'lost');
    await until('what was lost has arrived', () => arrived('lost'), patient);
    await until('it is confirmed', async () => (await answers('lost')).length === 0, patient);

    const undone = publish('undone', () => Promise.reject(new Error('rolled back')));
    await expect(undone).rejects.toThrow('rolled back');
    await until('the sender has told', async () => (await desk.measures()).never === 1, patient);

    const asked = new Gate();
    const open = publish('open', () => asked.opened);
    await until('it is undecided', async () => (await answers('open'))[0] === 'undecided', patient);
    asked.open();
    await open;
    await until('it has arrived', () => arrived('open'), patient);
    expect(await desk.measures()).toMatchObject({ resends: 1, never: 1 });
    expect(await arrived('undone')).toBe(false);
  });

  it('asks a sender that is down again later, further apart, until it is there', async () => {
    ground.transport('postgres', store, {});
    const first = await startSender();
    const { app, letters } = await startService({ againMs: 100, maxAgainMs: 400 });
    await first.close();
    await ground.query('insert into closing values ($1)', ['down']);
    await app.get(MessagePublisher).publish(Recheck, questionOf('down', { groups: ['ranking'], afterMs: 0 }));
    const questions = async (): Promise<{ asked: number; wait: number } | undefined> =>
      (await ground.query<{ asked: number; wait: number }>(`select asked, extract(epoch from due_at - ${ground.schema}.now())::float8 * 1000 as wait from ${ground.schema}.callback_check where payload->>'id' = 'down'`))[0]; // prettier-ignore
    await until('it was asked three times', async () => ((await questions())?.asked ?? 0) >= 3, patient);
    expect((await questions())!.wait).toBeGreaterThan(100); // more than the first wait
    expect(await arrived('down')).toBe(false);
    await startSender(port);
    await until('it has arrived', () => arrived('down'), patient);
    expect(await letters.list({})).toEqual([]);
  });

  describeOn('redis', 'over Redis, which carries no requests', (redisUrl) => {
    const over = (): RedisTransport => redis({ urls: redisUrl, prefix: ground.schema });
    afterAll(async () => {
      const cleaner = over();
      for (const { topic } of [GiftSent, Recheck, Confirmed, Subscribed]) await cleaner.removeTopic(topic, ['ranking', 'callback']); // prettier-ignore
      await cleaner.close();
    });

    it('has what was lost sent again', async () => {
      const sender = await startSender(0, keys, over());
      const { desk } = await startService(ASKS_ONCE, over());
      const { resends: before } = await desk.measures();
      await lose(sender, 'lost at Redis');
      await until('what was lost has arrived', () => arrived('lost at Redis'), patient);
      await until('it is confirmed', async () => (await answers('lost at Redis')).length === 0, patient);
      expect((await desk.measures()).resends - before).toBe(1);
    });

    it('is what a sender and the callback service must have there, or they do not start', async () => {
      const options = { stores: { default: store }, migrate };
      const alone = boot(inMemory({ ...options, transports: { main: over() }, callback: {} }));
      await expect(alone).rejects.toThrow('transport redis has no request-reply; receive tidings.resend of callback.resend over a transport that has it, or add HttpResendModule'); // prettier-ignore
      const unasked = boot(inMemory({ ...options, transports: { main: over() } }), { imports: [CallbackModule.forRoot()] }); // prettier-ignore
      await expect(unasked).rejects.toThrow('CallbackModule: expected a transport that carries requests (tidings.resend), found none; ask senders by http'); // prettier-ignore
    });
  });

  describe('HttpResender', () => {
    const serve = async (respond: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> => {
      const server = createServer(respond);
      servers.push(server);
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      port = (server.address() as AddressInfo).port;
    };
    const resend = (given: object = keys, timeoutMs = 5_000) => {
      const http = { senders: { spec: `http://127.0.0.1:${port}/callback/resend` }, keys: given as typeof keys, windowMs: 300_000, timeoutMs }; // prettier-ignore
      const now = () => Promise.resolve(timestampOf(systemClock.now()));
      return new HttpResender(http, now).resend(questionOf('asked', { groups: ['ranking'] }));
    };
    const answering = (status: number, text: string, headers: Record<string, string> = {}) => (_: IncomingMessage, response: ServerResponse) => response.writeHead(status, headers).end(text); // prettier-ignore

    it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
      ['an answer that nobody signed', answering(200, '{"answer":"never"}'), 'it is not believed'],
      ['a redirect', answering(307, '', { location: 'http://127.0.0.1:1/' }), 'redirect'],
      ['a refusal', answering(401, '{"refusal":"signature"}'), 'found status 401: {"refusal":"signature"}'],
      ['an endless answer', answering(200, 'x'.repeat(100_000)), 'found a longer one'],
      ['a connection that breaks', (request) => request.socket.destroy(), 'within 5000 ms, found:'],
    ])('believes no %s', async (_, respond, problem) => {
      await serve(respond);
      await expect(resend()).rejects.toMatchObject({ name: 'HttpResendError', source: 'spec', message: expect.stringContaining(problem) }); // prettier-ignore
    });

    it('waits no longer than it may for an answer, nor for its end', async () => {
      await serve(() => undefined);
      await expect(resend(keys, 100)).rejects.toThrow('within 100 ms, found: The operation was aborted due to timeout');
      await serve((_, response) => void response.writeHead(200).write('{'));
      await expect(resend(keys, 100)).rejects.toThrow('within 100 ms, found: The operation was aborted due to timeout');
    });

    it('goes through a rotation: the receiver knows both keys, then the new one signs, then the old one goes', async () => {
      ground.transport('postgres', store, {});
      const { secrets } = keys;
      let known: object = { secrets: { old: secrets.old } };
      await startSender(0, () => known);
      const signWith = (id: 'old' | 'new') => resend(() => Promise.resolve({ secrets, signWith: id }));
      expect(await signWith('old')).toBe('never');
      await expect(signWith('new')).rejects.toThrow('"refusal":"signature"');
      known = { secrets };
      expect(await signWith('old')).toBe('never');
      expect(await signWith('new')).toBe('never');
      known = { secrets: { new: secrets.new } };
      await expect(signWith('old')).rejects.toThrow('"refusal":"signature"');
      expect(await signWith('new')).toBe('never');
    });

    it('is told which key is to sign', async () => {
      await expect(resend({ secrets: keys.secrets })).rejects.toThrow('callback.http.keys.signWith: expected the id of the key that signs, one of old, new, found none'); // prettier-ignore
      await expect(resend(() => ({ secrets: { short: 'secret' } }))).rejects.toThrow('callback.http.keys.secrets.short: expected a secret of 32 bytes at least'); // prettier-ignore
    });

    it('is refused unread when it says too much', async () => {
      ground.transport('postgres', store, {});
      await startSender();
      const response = await fetch(`http://127.0.0.1:${port}/callback/resend`, { method: 'POST', body: 'x'.repeat(70_000), headers: { 'content-type': 'text/plain' } }); // prettier-ignore
      expect([response.status, await response.json()]).toEqual([413, expect.objectContaining({ refusal: 'length' })]);
      const parsed = await fetch(`http://127.0.0.1:${port}/callback/resend`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }); // prettier-ignore
      expect([parsed.status, await parsed.json()]).toEqual([500, expect.objectContaining({ refusal: 'consumed' })]);
    });
  });
});

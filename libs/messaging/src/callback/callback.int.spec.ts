import { Injectable } from '@nestjs/common';
import { CallbackDesk, Confirmed, Recheck, RecheckingPublisher, type ResendQuestion } from '@tidings/callback';
import {
  confirmed,
  dateOf,
  systemClock,
  type Message,
  type MessageContext,
  type Store,
  type Transport,
} from '@tidings/core';
import { clientOf, migrate } from '@tidings/database';
import { describeOn, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround, TRANSPORTS } from '../handling/spec-ground.fixture';
import { MessagingModule } from '../messaging.module';
import type { MessagingOptions } from '../messaging.options';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, type Gift, GiftSent, inMemory } from '../test-application.fixture';
import { CallbackModule, type CallbackModuleOptions } from './callback.module';
import { OnResend } from './on-resend.decorator';

const GROUPS = {
  'gift.sent': 'ranking',
  'tidings.recheck': 'callback',
  'tidings.confirmed': 'callback',
  'tidings.subscribed': 'callback',
  'tidings.resend.spec': 'resend',
};
type Kind = Exclude<(typeof TRANSPORTS)[number], 'memory'>;
const KINDS: Kind[] = TRANSPORTS.flatMap((kind) => (kind === 'memory' ? [] : [kind]));
const SERVICE: CallbackModuleOptions = { graceMs: 100, againMs: 300, maxAgainMs: 300, everyMs: 50 };
const patient = { withinMs: 25_000 };

@Injectable()
class Ranking {
  @OnMessage(GiftSent, { group: 'ranking' })
  async rank({ room, coins }: Gift, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into effect (room, coins) values ($1, $2)', [room, coins]);
  }
}

/** The table `closing` is the business here: a room whose gift was decided. */
@Injectable()
class Shop {
  @OnResend(GiftSent)
  async again({ id }: ResendQuestion, context: MessageContext): Promise<Gift | undefined> {
    const { rows } = await clientOf(context).query<{ room: string }>('select room from closing where room = $1', [id]);
    return rows[0] && { room: id, coins: 1 };
  }
}

describeOn('postgres', 'The callback scheme', (url) => {
  let ground: SpecGround;
  let store: Store;
  let dropped: Message[];
  let dropping: (message: Message) => boolean;

  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  beforeEach(async () => {
    await ground.query('truncate effect, closing');
    const tables = await ground.query<{ t: string }>(
      `select string_agg(format('%I.%I', schemaname, tablename), ', ') as t from pg_tables where schemaname = $1 and tablename like 'callback%'`,
      [ground.schema],
    );
    if (tables[0]?.t) await ground.query(`truncate ${tables[0].t}`);
    dropped = [];
    dropping = () => false;
  });
  afterEach(closeAll);
  afterAll(() => ground.close());

  /** Confirmed by the broker, and then lost by it: what the sender cannot know. */
  const lossy = (transport: Transport): Transport =>
    new Proxy(transport, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (property !== 'publish') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        const publish: Transport['publish'] = async (messages) => {
          const lost = messages.filter(({ message, group }) => group === undefined && dropping(message));
          dropped.push(...lost.map(({ message }) => message));
          const results = await target.publish(messages.filter((one) => !lost.includes(one)));
          let next = 0;
          return messages.map((one) => (lost.includes(one) ? confirmed : results[next++]!));
        };
        return publish;
      },
    });

  const start = async (
    kind: Kind,
    callback: MessagingOptions['callback'] = {},
    providers: (typeof Ranking | typeof Shop)[] = [Ranking, Shop],
    service = SERVICE,
  ) => {
    store = ground.store();
    const transport = lossy(ground.transport(kind, store, GROUPS));
    const common = { migrate, relay: { pollMs: 50 } };
    const serviceStore = ground.store();
    const serving = { ...common, source: 'callback-service', stores: { default: serviceStore }, transports: { main: lossy(ground.twin(kind, serviceStore)) } }; // prettier-ignore
    const serviceApp = await boot(MessagingModule.forRoot(inMemory(serving)), { imports: [CallbackModule.forRoot(service)] }); // prettier-ignore
    const desk = serviceApp.get(CallbackDesk);
    const taking = { ...common, stores: { default: store }, transports: { main: transport }, callback: { recheckAfterMs: 400, ...callback } }; // prettier-ignore
    const app = await boot(MessagingModule.forRoot(inMemory(taking)), { providers });
    await until('the subscription is registered', async () => (await desk.subscriptions()).length > 0, patient);
    const rechecking = app.get(RecheckingPublisher);
    const send = (id: string, more: object = {}, fail = false) =>
      store.run(async (transaction) => {
        await transaction.query({ text: 'insert into closing values ($1)', values: [id] });
        await rechecking.within(transaction).publish(GiftSent, { room: id, coins: 1 }, { id, ...more });
        if (fail) throw new Error('rolled back');
      });
    return { app, serviceApp, desk, send, letters: serviceApp.get(ApplicationDeadLetters) };
  };
  const handled = async (room: string): Promise<number> => (await ground.effects(room)).length;

  describe.each(KINDS)('on %s', (kind) => {
    it('asks nobody about what was confirmed', async () => {
      const { desk, send } = await start(kind);
      await send(`quiet on ${kind}`);
      await until('its recheck has come', async () => (await desk.measures()).rechecks === 1, patient);
      await until('nothing is open', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      expect(await desk.measures()).toMatchObject({ resends: 0, latency: [{ group: 'ranking', confirmations: 1 }] });
      expect(await handled(`quiet on ${kind}`)).toBe(1);
    });

    it.each(['before', 'together', 'outbox'] as const)('sends again what the broker lost (%s)', async (mode) => {
      const { desk, send } = await start(kind, { mode }, mode === 'outbox' ? [Ranking] : [Ranking, Shop]);
      dropping = ({ id }) => id === `lost ${mode} on ${kind}`;
      await send(`lost ${mode} on ${kind}`);
      await until('it has arrived', async () => (await handled(`lost ${mode} on ${kind}`)) === 1, patient);
      await until('it is confirmed', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      const lost = kind === 'postgres' && mode === 'outbox' ? 0 : 1; // that transport reads the outbox itself: there is nothing between to lose it
      // The copy may be confirmed before the sender's answer is here, and it is counted by that.
      await until('the answer is counted', async () => (await desk.measures()).resends === lost, patient);
      const { resends, falseAlarms } = await desk.measures();
      expect({ resends, falseAlarms, dropped: dropped.length }).toEqual({
        resends: lost,
        falseAlarms: 0,
        dropped: lost,
      });
    });

    it('never sends what was rolled back', async () => {
      const { desk, send } = await start(kind);
      await expect(send(`undone on ${kind}`, {}, true)).rejects.toThrow('rolled back');
      await until('the sender has told', async () => (await desk.measures()).never === 1, patient);
      expect(await handled(`undone on ${kind}`)).toBe(0);
      expect((await desk.measures()).unconfirmed.messages).toBe(0);
    });

    it('asks again while the transaction is open, and sends once it has committed', async () => {
      const { app, desk } = await start(kind);
      const rechecking = app.get(RecheckingPublisher);
      dropping = ({ id }) => id === `slow on ${kind}`; // as if the sender died between the commit and the message
      await store.run(async (transaction) => {
        await transaction.query({ text: 'insert into closing values ($1)', values: [`slow on ${kind}`] });
        await rechecking
          .within(transaction)
          .publish(GiftSent, { room: `slow on ${kind}`, coins: 1 }, { id: `slow on ${kind}` });
        const asked = `select from ${ground.schema}.callback_check where answer = 'undecided'`;
        await until('it was asked about', async () => (await ground.query(asked)).length === 1, patient);
      });
      await until('it has arrived', async () => (await handled(`slow on ${kind}`)) === 1, patient);
      expect((await desk.measures()).never).toBe(0);
    });

    it('takes rechecks and confirmations twice, and in any order', async () => {
      const { app, desk } = await start(kind, { confirm: 'direct' });
      const publisher = app.get(MessagePublisher);
      const time = '2100-01-01T00:00:00.000Z';
      const about = { id: `twice on ${kind}`, source: 'spec', type: GiftSent.type, topic: GiftSent.topic, key: `twice on ${kind}`, bucket: dateOf(systemClock.now()), time }; // prettier-ignore
      const recheck = { ...about, headers: {}, transaction: null, groups: ['ranking'], afterMs: 400 };
      await publisher.publish(Recheck, recheck);
      await publisher.publish(Recheck, recheck);
      const { id, source, bucket, type } = about;
      const confirmations = [{ id, source, bucket, type, group: 'ranking', sentAt: time, at: time, copy: false }];
      await until('one check is open', async () => (await desk.measures()).rechecks === 2, patient);
      expect((await desk.measures()).unconfirmed).toEqual({ messages: 1, byGroup: { ranking: 1 } });
      await publisher.publish(Confirmed, { confirmations });
      await publisher.publish(Confirmed, { confirmations });
      await until('it is closed', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      await publisher.publish(Recheck, { ...recheck, afterMs: 0 });
      await until('the late one has come', async () => (await desk.measures()).rechecks === 3, patient);
      expect(await desk.measures()).toMatchObject({ resends: 0, never: 0, unconfirmed: { messages: 0 } });
    });

    it('expects whom the contract names, in place of the registry', async () => {
      const expected = [{ contract: GiftSent, groups: ['nobody'] }];
      const { desk, send } = await start(kind, { expected });
      await send(`expected on ${kind}`);
      const unconfirmed = async () => (await desk.measures()).unconfirmed.byGroup;
      await until('the contract counts', async () => (await unconfirmed())['nobody'] === 1, patient);
      await send(`called on ${kind}`, { groups: ['ranking'] });
      await until('its recheck has come', async () => (await desk.measures()).rechecks === 2, patient);
      await until('it is confirmed', async () => Object.keys(await unconfirmed()).join() === 'nobody', patient);
      expect(await unconfirmed()).toEqual({ nobody: 1 });
    });

    it('buries what nobody confirms, and names the groups', async () => {
      const { desk, send, letters } = await start(kind, {}, [Ranking, Shop], { ...SERVICE, checks: 2 });
      await send(`worn on ${kind}`, { groups: ['ranking', 'nobody'] });
      await until('it is given up', async () => (await desk.measures()).wornOut === 1, patient);
      const reason = `unconfirmed: nobody did not confirm gift.sent worn on ${kind} of spec; its sender answered "sent" last`;
      expect((await letters.list({})).map((letter) => [letter.place, letter.reason])).toContainEqual(['callback', expect.stringContaining(reason.slice(0, 70))]); // prettier-ignore
      expect(await handled(`worn on ${kind}`)).toBe(1);
    });
  });
});

import { Confirmed, Recheck, RecheckingPublisher } from '@tidings/callback';
import { dateOf, systemClock } from '@tidings/core';
import { describeOn, until } from '@tidings/testing';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { MessagePublisher } from '../publishing/message-publisher';
import { closeAll, GiftSent } from '../test-application.fixture';
import { CallbackGround, KINDS, patient, Ranking, SERVICE, Shop } from './callback-ground.fixture';

jest.setTimeout(90_000); // several waits of 25 s, on a busy machine

describeOn('postgres', 'The callback scheme', (url) => {
  let ground: CallbackGround;

  beforeAll(async () => {
    ground = await CallbackGround.at(url);
  });
  beforeEach(() => ground.reset());
  afterEach(closeAll);
  afterAll(() => ground.close());

  describe.each(KINDS)('on %s', (kind) => {
    it('asks nobody about what was confirmed', async () => {
      const { desk, send } = await ground.start(kind);
      await send(`quiet on ${kind}`);
      await until('its recheck has come', async () => (await desk.measures()).rechecks === 1, patient);
      await until('nothing is open', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      expect(await desk.measures()).toMatchObject({ resends: 0, latency: [{ group: 'ranking', confirmations: 1 }] });
      expect(await ground.handled(`quiet on ${kind}`)).toBe(1);
    });

    it.each(['before', 'together', 'outbox'] as const)('sends again what the broker lost (%s)', async (mode) => {
      const { desk, send } = await ground.start(kind, { mode }, mode === 'outbox' ? [Ranking] : [Ranking, Shop]);
      ground.dropping = ({ id }) => id === `lost ${mode} on ${kind}`;
      await send(`lost ${mode} on ${kind}`);
      await until('it has arrived', async () => (await ground.handled(`lost ${mode} on ${kind}`)) === 1, patient);
      await until('it is confirmed', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      const lost = kind === 'postgres' && mode === 'outbox' ? 0 : 1; // that transport reads the outbox itself: there is nothing between to lose it
      // The copy may be confirmed before the sender's answer is here, and it is counted by that.
      await until('the answer is counted', async () => (await desk.measures()).resends === lost, patient);
      const { resends, falseAlarms } = await desk.measures();
      expect({ resends, falseAlarms, dropped: ground.dropped.length }).toEqual({
        resends: lost,
        falseAlarms: 0,
        dropped: lost,
      });
    });

    it('never sends what was rolled back', async () => {
      const { desk, send } = await ground.start(kind);
      await expect(send(`undone on ${kind}`, {}, true)).rejects.toThrow('rolled back');
      await until('the sender has told', async () => (await desk.measures()).never === 1, patient);
      expect(await ground.handled(`undone on ${kind}`)).toBe(0);
      expect((await desk.measures()).unconfirmed.messages).toBe(0);
    });

    it('asks again while the transaction is open, and sends once it has committed', async () => {
      const { app, desk } = await ground.start(kind);
      const rechecking = app.get(RecheckingPublisher);
      ground.dropping = ({ id }) => id === `slow on ${kind}`; // as if the sender died between the commit and the message
      await ground.store.run(async (transaction) => {
        await transaction.query({ text: 'insert into closing values ($1)', values: [`slow on ${kind}`] });
        await rechecking
          .within(transaction)
          .publish(GiftSent, { room: `slow on ${kind}`, coins: 1 }, { id: `slow on ${kind}` });
        const asked = `select from ${ground.spec.schema}.callback_check where answer = 'undecided'`;
        await until('it was asked about', async () => (await ground.spec.query(asked)).length === 1, patient);
      });
      await until('it has arrived', async () => (await ground.handled(`slow on ${kind}`)) === 1, patient);
      expect((await desk.measures()).never).toBe(0);
    });

    it('takes rechecks and confirmations twice, and in any order', async () => {
      const { app, desk } = await ground.start(kind, { confirm: 'direct' });
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
      const { desk, send } = await ground.start(kind, { expected });
      await send(`expected on ${kind}`);
      const unconfirmed = async () => (await desk.measures()).unconfirmed.byGroup;
      await until('the contract counts', async () => (await unconfirmed())['nobody'] === 1, patient);
      await send(`called on ${kind}`, { groups: ['ranking'] });
      await until('its recheck has come', async () => (await desk.measures()).rechecks === 2, patient);
      await until('it is confirmed', async () => Object.keys(await unconfirmed()).join() === 'nobody', patient);
      expect(await unconfirmed()).toEqual({ nobody: 1 });
    });

    it('buries what nobody confirms, and names the groups', async () => {
      const { desk, send, serviceApp } = await ground.start(kind, {}, [Ranking, Shop], { ...SERVICE, checks: 2 });
      await send(`worn on ${kind}`, { groups: ['ranking', 'nobody'] });
      await until('it is given up', async () => (await desk.measures()).wornOut === 1, patient);
      const reason = `unconfirmed: nobody did not confirm gift.sent worn on ${kind} of spec; its sender answered "sent" last`;
      expect((await serviceApp.get(ApplicationDeadLetters).list({})).map((letter) => [letter.place, letter.reason])).toContainEqual(['callback', expect.stringContaining(reason.slice(0, 70))]); // prettier-ignore
      expect(await ground.handled(`worn on ${kind}`)).toBe(1);
    });
  });
});

import { Injectable } from '@nestjs/common';
import type { MessageContext } from '@tidings/core';
import { clientOf } from '@tidings/database';
import { describeOn, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { closeAll, type Gift, GiftSent } from '../test-application.fixture';
import { CallbackGround, KINDS, patient, Ranking, SERVICE, Shop } from './callback-ground.fixture';

@Injectable()
class LateRanking {
  @OnMessage(GiftSent, { group: 'late' })
  async rank({ room }: Gift, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into effect (room, coins) values ($1, 100)', [room]);
  }
}

jest.setTimeout(90_000); // several waits of 25 s, on a busy machine

describeOn('postgres', 'The callback scheme, when something is missing', (url) => {
  let ground: CallbackGround;

  beforeAll(async () => {
    ground = await CallbackGround.at(url);
  });
  beforeEach(() => ground.reset());
  afterEach(() => closeAll());
  afterAll(() => ground.close());

  describe.each(KINDS)('on %s', (kind) => {
    it('makes up for an hour without the service', async () => {
      const { serviceApp, send } = await ground.start(kind);
      await serviceApp.close();
      ground.dropping = ({ id }) => id.startsWith('lost');
      for (const id of ['kept', 'lost']) await send(`${id} on ${kind}`);
      await until('one is handled', async () => (await ground.handled(`kept on ${kind}`)) === 1, patient);
      await ground.passTime('1 hour');
      const { desk } = await ground.startService(kind, {
        ...SERVICE,
        graceMs: 2_000,
        againMs: 20_000,
        maxAgainMs: 20_000,
      });
      await until('the other has arrived', async () => (await ground.handled(`lost on ${kind}`)) === 1, patient);
      await until('all is confirmed', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      expect(await desk.measures()).toMatchObject({ rechecks: 2, resends: 1, wornOut: 0 });
      expect(await ground.handled(`kept on ${kind}`)).toBe(1);
    });

    it('has one of two processes of the service ask', async () => {
      const patience = { ...SERVICE, againMs: 30_000, maxAgainMs: 30_000 };
      const { desk, send } = await ground.start(kind, {}, [Ranking, Shop], patience);
      await ground.startService(kind, patience);
      const ids = Array.from({ length: 20 }, (_, n) => `lost ${n} on ${kind}`);
      ground.dropping = ({ id }) => ids.includes(id);
      for (const id of ids) await send(id);
      await until('all have arrived', async () => (await ground.spec.effects()).length === 20, patient);
      await until('all are confirmed', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      expect(await desk.measures()).toMatchObject({ resends: 20, falseAlarms: 0, wornOut: 0 });
      for (const id of ids) expect(await ground.handled(id)).toBe(1);
    });

    it('expects nothing of a group that came after the message', async () => {
      const { desk, send } = await ground.start(kind, { recheckAfterMs: 3_000 });
      await send(`early on ${kind}`);
      await ground.startTwin(kind, [LateRanking], 'late');
      await until('it is registered', async () => (await desk.subscriptions()).some(({ group }) => group === 'late'), patient); // prettier-ignore
      await send(`later on ${kind}`);
      await until('both rechecks have come', async () => (await desk.measures()).rechecks === 2, patient);
      await until('nothing is open', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      const { latency, resends } = await desk.measures();
      const confirmed = latency.map(({ group, confirmations }) => [group, confirmations]);
      expect({ confirmed, resends }).toEqual({ confirmed: [['late', 1], ['ranking', 2]], resends: 0 }); // prettier-ignore
      expect(await ground.handled(`later on ${kind}`)).toBe(2);
    });

    it('finds a confirmation that was lost, at the cost of a false alarm', async () => {
      const { desk, send } = await ground.start(kind, { confirm: 'direct' });
      ground.dropping = ({ type }) => type === 'tidings.confirmed' && ground.dropped.length === 0;
      await send(`handled on ${kind}`);
      await until('its copy is confirmed', async () => (await desk.measures()).falseAlarms === 1, patient);
      expect(ground.dropped).toHaveLength(1);
      expect((await desk.measures()).unconfirmed.messages).toBe(0);
      expect(await ground.handled(`handled on ${kind}`)).toBe(1);
    });

    it('keeps rechecks itself where the transport has no delay', async () => {
      ground.delays = false;
      const { desk, send } = await ground.start(kind, { recheckAfterMs: 2_000 });
      ground.dropping = ({ id }) => id === `kept on ${kind}, then lost`;
      await send(`kept on ${kind}, then lost`);
      await until('its recheck is kept', async () => (await desk.measures()).rechecks === 1, patient);
      const kept = `select payload->>'afterMs' as "afterMs", asked, due_at > created_at + interval '1.9 s' as later from ${ground.spec.schema}.callback_check`;
      expect(await ground.spec.query(kept)).toEqual([{ afterMs: '2000', asked: 0, later: true }]);
      await until('it has arrived', async () => (await ground.handled(`kept on ${kind}, then lost`)) === 1, patient);
      await until('it is confirmed', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
    });
  });
});

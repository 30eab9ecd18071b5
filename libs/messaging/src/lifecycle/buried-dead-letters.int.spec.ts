import { Injectable } from '@nestjs/common';
import { never } from '@tidings/core';
import { describeOn, server, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround } from '../handling/spec-ground.fixture';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, type Gift, GiftSent, inMemory } from '../test-application.fixture';

const patient = { withinMs: 30_000 };

let broken: boolean;
let handled: number[];

@Injectable()
class Ranking {
  @OnMessage(GiftSent, { group: 'ranking', level: 'atLeastOnce', concurrency: 1, retry: never() })
  rank({ coins }: Gift): void {
    if (broken) throw new Error(`cannot rank ${coins} coins`);
    handled.push(coins);
  }
}

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'what a group without a store gave up on', () => {
    let ground: SpecGround;

    beforeEach(async () => {
      [broken, handled] = [true, []];
      ground = await SpecGround.at(server('postgres')!);
    });
    afterEach(async () => {
      await closeAll();
      await ground.close();
    });

    it('flows in when it has one, oldest first, each once, and is redriven with the others', async () => {
      const store = ground.store('pg', 4);
      await ground.start(store, ground.transport(kind, store, { [GiftSent.topic]: 'ranking' }), []); // has the tables made
      const storeless = ground.store('pg', 4);
      const without = await boot(inMemory({ transports: { main: ground.twin(kind, storeless) } }), {
        providers: [Ranking],
      });
      for (const coins of [1, 2, 3]) await without.get(MessagePublisher).publish(GiftSent, { room: 'r', coins });
      const probe = ground.twin(kind, ground.store('pg', 2));
      await probe.connect();
      const left = async (): Promise<number> => (await probe.nativeDeadLetters(GiftSent.topic, 'ranking', 9)).length;
      await until('all were given up', async () => (await left()) === 3, patient);
      await closeAll();

      broken = false;
      const again = ground.store('pg', 6);
      const { letters } = await ground.start(again, ground.twin(kind, again), [Ranking]);
      await until('all are buried', async () => (await letters.list()).length === 3, patient);
      await until('the broker has none', async () => (await left()) === 0, patient);
      const found = await Promise.all((await letters.list()).map(({ id }) => letters.find(id)));
      const payloads = found.map(
        (letter) => (JSON.parse(Buffer.from(letter!.message.payload).toString()) as Gift).coins,
      );
      expect(payloads).toEqual([1, 2, 3]);
      expect(found[0]).toMatchObject({
        direction: 'inbound',
        place: 'ranking',
        transport: 'main',
        handler: 'Ranking.rank',
        reason: expect.stringContaining('cannot rank 1 coins') as unknown,
      });
      for (const letter of found) expect(await letters.redrive(letter!.id)).toMatchObject({ outcome: 'redriven' });
      await until('all are handled', () => handled.length === 3, patient);
      expect(handled.sort()).toEqual([1, 2, 3]);
      await probe.close();
    });
  });
});

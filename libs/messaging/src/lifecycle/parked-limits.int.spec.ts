import { Injectable } from '@nestjs/common';
import { never, silentLogger } from '@tidings/core';
import { describeOn, server, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround } from '../handling/spec-ground.fixture';
import type { MessagingOptions } from '../messaging.options';
import { closeAll, type Gift, GiftSent } from '../test-application.fixture';
import { MessagingHealth } from './messaging-health';

const patient = { withinMs: 30_000 };

let handled: string[];
let broken: Set<string>;

@Injectable()
class Badges {
  @OnMessage(GiftSent, { group: 'badges', ordered: true, retry: never() })
  upgrade({ room, coins }: Gift): void {
    if (broken.has(`${room}${coins}`)) throw new Error('as asked');
    handled.push(`${room}${coins}`);
  }
}

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'the parked keys of a subscription with limits', () => {
    let ground: SpecGround;
    let warned: string[];

    beforeEach(async () => {
      [handled, broken, warned] = [[], new Set(), []];
      ground = await SpecGround.at(server('postgres')!);
    });
    afterEach(async () => {
      await closeAll();
      await ground.close();
    });

    const start = async (parking: NonNullable<MessagingOptions['parking']>) => {
      const store = ground.store('pg', 6);
      const transport = ground.transport(kind, store, { [GiftSent.topic]: 'badges' });
      const logger = { ...silentLogger, warn: (_: object, message: string) => void warned.push(message) };
      const { app, send, letters } = await ground.start(store, transport, [Badges], { parking, logger });
      const buried = async (room: string): Promise<string> => {
        await until(`a letter of ${room}`, async () => (await letters.list({ key: room })).length > 0, patient);
        return (await letters.list({ key: room }))[0]!.id;
      };
      return { health: app.get(MessagingHealth), send, letters, buried };
    };
    const waiting = async (): Promise<number> => (await ground.query('select from parked_message')).length;
    const told = (what: string) => until(`a warning: ${what}`, () => warned.some((text) => text.includes(what)), patient); // prettier-ignore
    const of = (room: string): string[] => handled.filter((name) => name.startsWith(room));

    it('a key with too many followers blocks at its consumer, others go on, and nothing is lost when it is free', async () => {
      const { send, letters, buried } = await start({ maxFollowers: 2, againAfterMs: 100 });
      broken = new Set(['k0']);
      await send([{ room: 'k', coins: 0 }]);
      const letter = await buried('k');
      await send([1, 2, 3, 4, 5].map((coins) => ({ room: 'k', coins })));
      await told('too many followers');
      await send([0, 1, 2].map((coins) => ({ room: 'other', coins })));
      await until('the other key went on', () => of('other').length === 3, patient);
      expect([await waiting(), of('k')]).toEqual([3, []]);
      broken.clear();
      await letters.redrive(letter);
      await until('all are handled', () => of('k').length === 6, patient);
      expect(of('k')).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'k5']);
    });

    it('past its number of parked keys a failing key blocks, and is parked when there is room', async () => {
      const { send, letters, buried } = await start({ maxKeys: 1, againAfterMs: 100 });
      broken = new Set(['k0', 'l0']);
      await send([{ room: 'k', coins: 0 }]);
      const letter = await buried('k');
      await send([0, 1].map((coins) => ({ room: 'l', coins })));
      await told('too many parked keys');
      await send([{ room: 'other', coins: 0 }]);
      await until('the other key went on', () => of('other').length === 1, patient);
      expect([await waiting(), of('l')]).toEqual([1, []]);
      broken.delete('k0');
      await letters.redrive(letter);
      await until('there is room for the other', async () => (await waiting()) === 2 && of('k').length === 1, patient);
      broken.clear();
      await letters.redrive(await buried('l'));
      await until('all are handled', () => of('l').length === 2, patient);
      expect(of('l')).toEqual(['l0', 'l1']);
    });

    it('is told of once when it has been parked for too long, and counted by the health', async () => {
      const { send, health, letters, buried } = await start({ alarmAfterMs: 200 });
      broken = new Set(['k0']);
      await send([{ room: 'k', coins: 0 }]);
      const letter = await buried('k');
      await told('parked for too long');
      await until('the health counts it', () => health.check().parkedKeys['default']!.old === 1, patient);
      expect(health.check().parkedKeys['default']).toEqual({ parked: 1, dead: 1, old: 1 });
      expect(warned.filter((text) => text.includes('parked for too long'))).toHaveLength(1);
      broken.clear();
      await letters.redrive(letter);
      await until('it is handled', () => of('k').length === 1, patient);
    });
  });
});

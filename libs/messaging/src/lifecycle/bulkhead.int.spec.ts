import { Injectable } from '@nestjs/common';
import { type MessageContext, systemClock } from '@tidings/core';
import { clientOf } from '@tidings/database';
import { describeOn, Gate, server, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround } from '../handling/spec-ground.fixture';
import { closeAll, type Gift, GiftSent, RoomClosed } from '../test-application.fixture';

const within = { withinMs: 60_000 };
const KINDS = ['postgres', ...(server('rabbitmq') ? (['rabbitmq'] as const) : [])] as const;
const SLOTS = 2; // and as many for the other: as many as the larger pool has connections
const MESSAGES = 40;
const ROUNDS = 3;
/** Below this, a difference is the machine's. */
const NOISE_MS = 50;

let hold: Gate;
let hung: number;
let handledAt: Map<string, number>;

@Injectable()
class Handlers {
  @OnMessage(GiftSent, { group: 'hung', concurrency: SLOTS })
  async hang(_gift: Gift, context: MessageContext): Promise<void> {
    await clientOf(context).query('select 1'); // it holds its connection, too
    hung += 1;
    await hold.opened;
    hung -= 1;
  }

  @OnMessage(RoomClosed, { group: 'quick', concurrency: SLOTS })
  async count({ room }: { room: string }, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into closing values ($1)', [room]);
    handledAt.set(room, systemClock.monotonic());
  }
}

describeOn('postgres', 'A group whose handlers hang on all their places', (url) => {
  let ground: SpecGround;

  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  beforeEach(() => {
    [hold, hung, handledAt] = [new Gate(), 0, new Map()];
  });
  afterEach(async () => {
    hold.open();
    await closeAll();
  });
  afterAll(() => ground.close());

  it.each(KINDS.flatMap((kind) => [[kind, 4] as const, [kind, 3] as const]))(
    'leaves the others their places, connections and latency: %s, a pool of %i',
    async (kind, connections) => {
      const slots = connections === 4 ? SLOTS : 1; // its share
      const store = ground.store('pg', connections);
      const transport = ground.transport(kind, store, { 'gift.sent': 'hung', 'room.closed': 'quick' });
      const { send, outbox } = await ground.start(store, transport, [Handlers]);
      let number = 0;
      /** The slowest of some, one after the other: of so few, their p99. */
      const slowest = async (): Promise<number> => {
        let worst = 0;
        for (let n = 0; n < MESSAGES; n++) {
          const room = String(number++);
          const from = systemClock.monotonic();
          await store.run((transaction) => outbox.within(transaction).publish(RoomClosed, { room }));
          await until('the other group has it', () => handledAt.has(room), within);
          worst = Math.max(worst, handledAt.get(room)! - from);
        }
        return worst;
      };
      const ratios: number[] = [];
      for (let round = 0; round < ROUNDS && !ratios.some((ratio) => ratio <= 2); round++) {
        const before = Math.max(NOISE_MS, await slowest());
        hold = new Gate();
        await send(Array.from({ length: 4 * SLOTS }, (_, n) => ({ room: 'r', coins: n })));
        await until('all its places hang', () => hung === slots, within);
        ratios.push((await slowest()) / before);
        expect(hung).toBe(slots);
        hold.open();
        await until('it goes on', () => hung === 0, within);
      }
      expect(Math.min(...ratios)).toBeLessThanOrEqual(2);
    },
  );
});

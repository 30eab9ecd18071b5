import { confirmed, defineMessage, MemoryStore, MessageFactory, type OutgoingMessage, silentLogger, systemClock, type Transport } from '@tidings/core'; // prettier-ignore
import { z } from 'zod';
import { Recheck, type RecheckPayload } from './callback.contracts';
import { callbackOptions } from './callback.options';
import { type RecheckedOptions, RecheckingPublisher } from './rechecking.publisher';

const GiftSent = defineMessage('gift.sent', { schema: z.object({ coins: z.number() }) });
const RoomClosed = defineMessage('room.closed', { schema: z.object({ coins: z.number() }) });

describe('RecheckingPublisher', () => {
  let sent: OutgoingMessage[];

  /** What the recheck says of who is to confirm. */
  const expectedOf = async (
    contract: typeof GiftSent,
    options: RecheckedOptions = {},
  ): Promise<RecheckPayload['groups']> => {
    sent = [];
    const store = new MemoryStore();
    const transport = {
      capabilities: { delay: { native: false, reason: 'none' } },
      publish: (messages: readonly OutgoingMessage[]) => {
        sent.push(...messages);
        return Promise.resolve(messages.map(() => confirmed));
      },
    } as unknown as Transport;
    const publisher = new RecheckingPublisher({
      store,
      outbox: { within: () => ({ publish: () => Promise.reject(new Error('not by the outbox')) }) },
      factory: new MessageFactory('spec', systemClock),
      routes: () => [{ transport: 'main' }],
      connect: () => Promise.resolve(transport),
      options: callbackOptions.parse({}),
      expected: { 'gift.sent': ['ranking'] },
      logger: silentLogger,
    });
    await store.run((transaction) => publisher.within(transaction).publish(contract, { coins: 1 }, options));
    await publisher.flush();
    const recheck = sent.find(({ message }) => message.type === Recheck.type)!;
    return (JSON.parse(Buffer.from(recheck.message.payload).toString()) as RecheckPayload).groups;
  };

  it('leaves it to the registry who is to confirm, unless its contract or the call says otherwise', async () => {
    expect(await expectedOf(RoomClosed)).toBeNull();
    expect(await expectedOf(GiftSent)).toEqual(['ranking']);
    expect(await expectedOf(GiftSent, { groups: ['badges'] })).toEqual(['badges']);
    expect(await expectedOf(RoomClosed, { groups: ['badges'] })).toEqual(['badges']);
  });
});

import { confirmed, defineMessage, failed, HEADERS, MemoryStore, MessageFactory, type OutgoingMessage, type PublishOptions, silentLogger, systemClock, type Transport } from '@tidings/core'; // prettier-ignore
import { Gate } from '@tidings/testing';
import { z } from 'zod';
import { callbackOptions } from './callback.options';
import { Recheck } from './callback.contracts';
import { RecheckNotSentError } from './recheck-not-sent.error';
import { RecheckingPublisher, type RecheckedOptions } from './rechecking.publisher';

const Order = defineMessage('order.placed', { schema: z.object({ n: z.number() }) });

describe('the modes of the rechecking publisher', () => {
  let store: MemoryStore;
  let sent: OutgoingMessage[];
  let refused: Set<string>;
  let delays: boolean;
  let held: Gate | undefined;
  const outboxed: [string, (PublishOptions & { readonly delayMs?: number }) | undefined][] = [];

  beforeEach(() => {
    store = new MemoryStore();
    sent = [];
    refused = new Set();
    delays = true;
    held = undefined;
    outboxed.length = 0;
  });

  const publisher = () => {
    const factory = new MessageFactory('shop', systemClock);
    const publish: Transport['publish'] = async (messages) => {
      await held?.opened;
      return messages.map((one) => {
        if (refused.has(one.message.type)) return failed('transient', new Error('away'));
        sent.push(one);
        return confirmed;
      });
    };
    return new RecheckingPublisher({
      store,
      outbox: {
        within: () => ({
          publish: (contract, payload, options) => {
            outboxed.push([contract.type, options]);
            return factory.create(contract, payload, options);
          },
        }),
      },
      factory,
      routes: () => [{ transport: 'main' }],
      connect: async () => ({ publish, capabilities: { delay: delays || 'a log has none' } }) as unknown as Transport,
      options: callbackOptions.parse({}),
      expected: { 'order.placed': ['packing'] },
      logger: silentLogger,
    });
  };
  const types = () => sent.map(({ message }) => message.type);
  const send = async (
    options: RecheckedOptions,
    inside = async () => undefined as unknown,
    rechecking = publisher(),
  ) => {
    try {
      return await store.run(async (transaction) => {
        const message = await rechecking.within(transaction).publish(Order, { n: 1 }, options);
        await inside();
        return message;
      });
    } finally {
      await rechecking.flush();
    }
  };

  it('sends the recheck before the commit, delayed, and the message after it', async () => {
    const message = await send({ id: 'o1' }, async () => expect(types()).toEqual(['tidings.recheck']));
    expect(types()).toEqual(['tidings.recheck', 'order.placed']);
    expect(sent.map(({ delayMs }) => delayMs)).toEqual([10_000, undefined]);
    expect(message.headers[HEADERS.confirm]).toBe('1');
    const recheck = await Recheck.decode(sent[0]!.message);
    expect(recheck).toMatchObject({ id: 'o1', source: 'shop', bucket: message.bucket, time: message.time, groups: ['packing'], afterMs: 0 }); // prettier-ignore
  });

  it('sends no message when its transaction rolls back', async () => {
    await expect(send({}, () => Promise.reject(new Error('rolled back')))).rejects.toThrow('rolled back');
    expect(types()).toEqual(['tidings.recheck']);
  });

  it('fails while the recheck cannot be sent, so that the transaction rolls back', async () => {
    refused.add('tidings.recheck');
    await expect(send({ id: 'o1' })).rejects.toThrow(RecheckNotSentError);
    expect(sent).toEqual([]);
  });

  it('leaves a committed message that could not be sent to its recheck', async () => {
    refused.add('order.placed');
    await send({});
    expect(types()).toEqual(['tidings.recheck']);
  });

  it('sends both after the commit, together', async () => {
    await send({ mode: 'together' }, async () => expect(sent).toEqual([]));
    expect(types().sort()).toEqual(['order.placed', 'tidings.recheck']);
  });

  it('writes both into the outbox', async () => {
    await send({ mode: 'outbox', id: 'o1', recheckAfterMs: 500 });
    expect(sent).toEqual([]);
    expect(outboxed).toEqual([
      ['order.placed', { id: 'o1', headers: { [HEADERS.confirm]: '1' } }],
      ['tidings.recheck', { delayMs: 500 }],
    ]);
  });

  it('has the callback service keep a recheck that the transport cannot delay', async () => {
    delays = false;
    await send({ recheckAfterMs: 700 });
    expect(sent[0]!.delayMs).toBeUndefined();
    expect(await Recheck.decode(sent[0]!.message)).toMatchObject({ afterMs: 700 });
  });

  it("takes a call's groups before those of its contract", async () => {
    await send({ groups: ['packing', 'billing'] });
    expect((await Recheck.decode(sent[0]!.message)).groups).toEqual(['packing', 'billing']);
  });

  it('waits in flush for what is on its way', async () => {
    const rechecking = publisher();
    await store.run(async (transaction) => {
      await rechecking.within(transaction).publish(Order, { n: 1 });
      held = new Gate();
    });
    let flushed = false;
    const flushing = rechecking.flush().then(() => (flushed = true));
    await Promise.resolve();
    expect(flushed).toBe(false);
    held!.open();
    await flushing;
    expect(types()).toEqual(['tidings.recheck', 'order.placed']);
  });
});

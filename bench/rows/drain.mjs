// Draining a prefilled log to a broker, confirmed (and at RabbitMQ mandatory), against confirmed publishing of the same bytes with nothing around it.
import { MessageFactory, silentLogger, systemClock } from '@tidings/core';
import { logOf, Outbox, OutboxRelay } from '@tidings/outbox';
import { toAmqp } from '../../libs/transports/rabbitmq/dist/rabbitmq-mapping.js';
import { gift, GiftSent } from '../gift.mjs';
import { BROKERS, openPrefix } from '../own-prefix.mjs';
import { confirmInBatches } from '../plain-clients.mjs';
import { openSchema } from '../own-schema.mjs';
import { interleave, timed } from '../rounds.mjs';

const NO_DEAD_LETTERS = { bury: (letter) => Promise.reject(new Error(`a message was refused: ${letter.reason}`)) };

export async function drainRow({ postgres, broker: at, quick }) {
  const place = { topic: GiftSent.topic, group: 'drain' };
  const database = await openSchema(postgres);
  const broker = openPrefix(at, place);
  const plain = await broker.plain();
  const transport = broker.transport();
  const name = BROKERS[broker.kind];
  const atRabbitMq = broker.kind === 'rabbitmq';
  const packing = atRabbitMq && broker.transport({ attributes: 'packed' });
  /** Redis and Kafka keep what nobody consumes: some 100 MB, removed at the end. */
  const purge = async () => atRabbitMq && plain.clear(broker.queue);
  try {
    await broker.declare();
    await transport.connect();
    if (packing) await packing.connect();
    const log = logOf(database.store, systemClock, silentLogger);
    const factory = new MessageFactory('bench', systemClock);
    const outbox = new Outbox({ log, factory, transports: {}, routes: () => [{ transport: 'main' }] });

    const fill = async (count) => {
      for (let i = 0; i < count; i += 1000) {
        const some = Array.from({ length: Math.min(1000, count - i) }, (_, j) => ({
          contract: GiftSent,
          payload: gift(i + j),
        }));
        await database.dataSource.transaction((manager) => outbox.within(manager).publishAll(some));
      }
      await log.signals.flush();
    };
    /** From the relay's start, which takes its lanes, to the last confirm. */
    const drainBy = (by) => async (count) => {
      await fill(count);
      await purge();
      let left = count;
      let drained;
      const done = new Promise((resolve) => (drained = resolve));
      const counting = {
        publish: async (messages) => {
          const results = await by.publish(messages);
          left -= results.filter(({ outcome }) => outcome === 'confirmed').length;
          if (left <= 0) drained();
          return results;
        },
      };
      const relay = new OutboxRelay({
        log,
        transports: { main: counting },
        deadLetters: NO_DEAD_LETTERS,
        instance: 'bench',
        clock: systemClock,
        logger: silentLogger,
      });
      const figures = await timed(async () => {
        await relay.start();
        await done;
      });
      await relay.stop();
      return figures;
    };
    const body = Buffer.from(JSON.stringify(gift(1)));
    const byHand = async (count) => {
      await plain.clear();
      return timed(() => plain.flood(count, body));
    };
    /** The same with our headers, through our exchanges: what the broker asks for them. */
    const asOnOurWire = async (count) => {
      await purge();
      const message = await factory.create(GiftSent, gift(1));
      const { content, options } = toAmqp({ message, stamp: { sequence: 1, epoch: 1, epochStart: 1 } });
      const exchange = `${broker.prefix}.${GiftSent.topic}`;
      const wire = { ...options, mandatory: true };
      return timed(() =>
        confirmInBatches(plain.channel, count, () => plain.channel.publish(exchange, '0', content, wire)),
      );
    };
    /** Tells how much of a miss is the wire (headers, exchanges), and how much the log. */
    const alone = (by) => async (count) => {
      await purge();
      const message = await factory.create(GiftSent, gift(1));
      const stamp = { sequence: 1, epoch: 1, epochStart: 1 };
      const batch = Array.from({ length: 500 }, () => ({ message, stamp }));
      return timed(async () => {
        for (let i = 0; i < count; i += 500) await by.publish(batch.slice(0, Math.min(500, count - i)));
      });
    };
    return await interleave({
      row: `relay drains to ${name}`,
      target: 0.85,
      rounds: 5,
      messages: quick ? 5_000 : 20_000,
      contenders: {
        [`log → relay → ${name}`]: drainBy(transport),
        'confirmed publish': byHand,
        ...(atRabbitMq && { 'confirmed publish, our headers and exchanges': asOnOurWire }),
        'our transport': alone(transport),
        ...(packing && {
          'log → relay → RabbitMQ, attributes packed': drainBy(packing),
          'our transport, attributes packed': alone(packing),
        }),
      },
    });
  } finally {
    await transport.close();
    if (packing) await packing.close();
    await plain.close();
    await broker.close();
    await database.close();
  }
}

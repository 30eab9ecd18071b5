import type { Channel, ConsumeMessage } from 'amqplib';
import { DeliveryAcks } from './delivery-acks';

const message = (deliveryTag: number): ConsumeMessage => ({ fields: { deliveryTag } }) as ConsumeMessage;

function channelOf(tags: number) {
  const written: string[] = [];
  const channel: Pick<Channel, 'ack' | 'nack'> = {
    ack: ({ fields }, upTo) => void written.push(`${upTo ? 'up to ' : ''}${fields.deliveryTag}`),
    nack: ({ fields }) => void written.push(`back ${fields.deliveryTag}`),
  };
  const acks = new DeliveryAcks(channel);
  const messages = Array.from({ length: tags }, (_, n) => message(n + 1));
  for (const one of messages) acks.take(one);
  const ack = (...wanted: number[]) => Promise.all(wanted.map((tag) => acks.ack(messages[tag - 1]!)));
  return { acks, ack, messages, written, channel };
}

describe('DeliveryAcks', () => {
  it('acknowledges what was settled together with one frame', async () => {
    const { ack, written } = channelOf(5);
    await ack(2, 1, 3);
    await ack(4);
    expect(written).toEqual(['up to 3', 'up to 4']);
  });

  it('never acknowledges one that is not settled', async () => {
    const { ack, written } = channelOf(6);
    await ack(1, 2, 4, 6);
    await ack(5);
    await ack(3);
    expect(written).toEqual(['4', '6', 'up to 2', '5', 'up to 3']);
  });

  it('goes past what was given back', async () => {
    const { acks, ack, messages, written } = channelOf(3);
    acks.giveBack(messages[0]!);
    await ack(3, 2);
    expect(written).toEqual(['back 1', 'up to 3']);
  });

  it('rejects for all when the channel has ended, and begins anew with the next', async () => {
    const { ack, written, channel } = channelOf(3);
    const { ack: write } = channel;
    channel.ack = () => {
      throw new Error('channel closed');
    };
    await expect(ack(1, 2)).rejects.toThrow('channel closed');
    channel.ack = write;
    await ack(3);
    expect(written).toEqual(['up to 3']);
  });

  it('agrees with acks one by one, in whatever order', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { ack, written } = channelOf(12);
      const order = Array.from({ length: 12 }, (_, n) => n + 1).sort((a, b) => ((a * seed) % 13) - ((b * seed) % 13));
      const settled = new Set<number>();
      const acked = new Set<number>();
      for (let at = 0; at < 12; at += 1 + (seed % 4)) {
        const turn = order.slice(at, at + 1 + (seed % 4));
        for (const tag of turn) settled.add(tag);
        await ack(...turn);
        for (const line of written.splice(0)) {
          const tag = Number(line.replace('up to ', ''));
          for (let one = line === String(tag) ? tag : 1; one <= tag; one++) acked.add(one);
        }
        expect([...acked].sort()).toEqual([...settled].sort());
      }
    }
  });
});

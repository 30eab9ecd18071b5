import { testMessage } from '@tidings/testing';
import { DeliveryBatch } from './delivery-batch';

describe('A batch', () => {
  const [a1, b1, a2, a3] = ['a', 'b', 'a', 'a'].map((key) => testMessage({ key }));
  const deliveryOf = (message = a1!) => ({ message, attempt: 1, redelivered: false });
  let batch: DeliveryBatch;
  let went: string[];

  beforeEach(() => {
    batch = new DeliveryBatch([a1!, b1!, a2!, a3!]);
    went = [];
  });
  const go = (name: string, message = a1!) => void batch.turnOf(message).then(() => went.push(name));
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

  it('lets those of a key pass one after the other, in its order, whoever asks first', async () => {
    go('a3', a3);
    go('a2', a2);
    go('b1', b1);
    go('a1', a1);
    await settle();
    expect(went.sort()).toEqual(['a1', 'b1']);
    batch.passed(a2!); // out of turn: it helps nobody while the first has not
    await settle();
    expect(went).not.toContain('a3');
    batch.passed(a1!);
    await settle();
    expect(went).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('waits for nobody who was settled on the way', async () => {
    batch.leave(deliveryOf(a1), true);
    go('a2', a2);
    go('a3', a3);
    await settle();
    expect(went).toEqual(['a2']);
    batch.leave(deliveryOf(a2), false);
    await settle();
    expect(went).toEqual(['a2', 'a3']);
  });
});

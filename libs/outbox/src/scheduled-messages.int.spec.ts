import { accept, OptionsError, systemClock, timestampOf } from '@tidings/core';
import { memory } from '@tidings/memory';
import { describeOn, RecordingReceive } from '@tidings/testing';
import { GiftSent, SpecOutbox } from './spec-outbox.fixture';

describeOn('postgres', 'messages for later', (url) => {
  const main = memory();
  const received = new RecordingReceive(() => accept);
  let spec: SpecOutbox;

  beforeAll(async () => {
    spec = await SpecOutbox.open(url);
    await main.connect();
    await main.subscribe(
      { topic: 'gift.sent', group: 'g', ordered: false, broadcast: false, concurrency: 5, from: 'now' },
      received.receive,
    );
    await spec.relay({ main }).start();
  });
  afterAll(async () => {
    await spec.close();
    await main.close();
  });

  const publish = (id: string, when: { delayMs?: number; deliverAt?: string }): Promise<unknown> =>
    spec.dataSource.transaction((manager) =>
      spec
        .outbox({ main })
        .within(manager)
        .publish(GiftSent, { giftId: id, roomId: 'r', n: 1 }, { id, ...when }),
    );
  const inTransaction = <T>(work: (handle: unknown) => Promise<T>): Promise<T> => spec.dataSource.transaction(work);

  it('arrives at its time, and not before', async () => {
    const at = systemClock.now() + 400;
    await publish('at', { deliverAt: timestampOf(at) });
    await publish('delayed', { delayMs: 300 });
    await publish('past', { deliverAt: '2020-01-01T00:00:00+01:00' });
    await received.receivedAll(['past', 'delayed', 'at']);
    expect(systemClock.now()).toBeGreaterThanOrEqual(at - 20);
    expect(received.ids[0]).toBe('past');
  });

  it('is listed, cancelled with its transaction, and not cancelled when that rolls back', async () => {
    await publish('later', { delayMs: 3_600_000 });
    expect(await spec.outbox({ main }).scheduled.list()).toMatchObject([
      { messageId: 'later', transport: 'main', key: 'r' },
    ]);
    const outbox = spec.outbox({ main });
    const mistake = inTransaction(async (handle) => {
      expect(await outbox.scheduled.cancel(handle, 'later')).toBe(true);
      throw new Error('no');
    });
    await expect(mistake).rejects.toThrow('no');
    expect(await outbox.scheduled.list()).toHaveLength(1);
    expect(await inTransaction((handle) => outbox.scheduled.cancel(handle, 'later'))).toBe(true);
    expect(await inTransaction((handle) => outbox.scheduled.cancel(handle, 'later'))).toBe(false);
    expect(await outbox.scheduled.list()).toEqual([]);
  });

  it('is brought forward: the mover, asleep until the old time, wakes', async () => {
    await publish('moved', { delayMs: 3_600_000 });
    const outbox = spec.outbox({ main });
    expect(await inTransaction((handle) => outbox.scheduled.reschedule(handle, 'moved', { delayMs: 50 }))).toBe(true);
    await received.receivedAll(['moved']);
  });

  it('refuses an instant without a zone', async () => {
    await expect(publish('bad', { deliverAt: '2026-12-31 23:59' })).rejects.toThrow(OptionsError);
    await expect(publish('bad', { deliverAt: '2026-12-31 23:59' })).rejects.toThrow(
      /deliverAt: expected an instant with its zone/,
    );
  });
});

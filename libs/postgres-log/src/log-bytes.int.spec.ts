import { describeOn, testMessage, until } from '@tidings/testing';
import type { MessageLog } from './message-log';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';

const KIB = 1024;

describeOn('postgres', 'batches are bounded by bytes too', (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  let destination: number;

  beforeEach(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
    destination = await log.destination('main', 'gift.sent');
  });
  afterEach(() => spec.close());

  /** Bytes of payload of each read, as the driver got them. */
  const reads = (): number[] => {
    const sizes: number[] = [];
    const query = log.store.query.bind(log.store);
    log.store.query = async <Row extends object>(statement: Parameters<typeof query>[0]) => {
      const result = await query<Row>(statement);
      const payloads = result.rows.flatMap((row) =>
        'payload' in row && row.payload instanceof Buffer ? [row.payload] : [],
      );
      if (payloads.length > 0) sizes.push(payloads.reduce((sum, payload) => sum + payload.byteLength, 0));
      return result;
    };
    return sizes;
  };

  it('a backlog of large messages is read in pages of batchBytes, in order, and none is left out', async () => {
    const ids = Array.from({ length: 60 }, (_, n) => `m${n}`);
    for (const id of ids)
      await log.appendAlone([
        entryOf(testMessage({ id, key: 'k', payload: Buffer.alloc(100 * KIB, id) }), destination),
      ]);
    const sizes = reads();
    const taken = new Taken();
    await spec.reader(log, destination, taken.deliver, { batch: 500, batchBytes: 256 * KIB });
    await until('all', () => taken.ids.length >= ids.length);
    expect(taken.ids).toEqual(ids);
    expect(Math.max(...sizes)).toBeLessThan((256 + 100) * KIB);
    expect(Math.max(...taken.batches)).toBe(3);
  });

  it('a message larger than batchBytes goes alone', async () => {
    for (const id of ['a', 'b', 'c'])
      await log.appendAlone([entryOf(testMessage({ id, key: 'k', payload: Buffer.alloc(50 * KIB, id) }), destination)]);
    const taken = new Taken();
    await spec.reader(log, destination, taken.deliver, { batchBytes: 10 * KIB });
    await until('all', () => taken.ids.length >= 3);
    expect(taken.batches).toEqual([1, 1, 1]);
    expect(taken.ids).toEqual(['a', 'b', 'c']);
  });
});

import { z } from 'zod';
import { defineMessage } from '../message/contract';
import { HEADERS } from '../message/headers';
import type { Message } from '../message/message';
import { isRefusable, refusalContractOf, refusalOf, refusalOfMessage } from './refusal';

const PointsSpent = defineMessage('points.spent', {
  version: 2,
  schema: z.object({ points: z.number() }),
  upcast: { 1: (old: unknown) => ({ points: (old as { coins: number }).coins }) },
  refusable: true,
});
const spent: Message = {
  id: 'm1',
  source: 'points',
  type: 'points.spent',
  version: 1,
  topic: 'points.spent',
  key: 'ann',
  time: '2026-11-27T00:00:00.000Z',
  contentType: 'application/json',
  payload: Buffer.from('{"coins":7}'),
  bucket: '2026-11-27',
  generation: 3,
  crc32c: 1,
  headers: { [HEADERS.refusable]: '1', [HEADERS.confirm]: '1', [HEADERS.traceparent]: '00-trace', mine: 'x' },
};
const by = { source: 'shop', group: 'sellers', reason: 'the room is closed' };
const later = '2026-11-28T00:00:00.000Z';

describe('refusal', () => {
  it('goes to the sender alone, with the bytes, the key and the version of what is refused', async () => {
    const refusal = refusalOfMessage(spent, by, later);
    expect(refusal).toMatchObject({ source: 'shop', type: 'points.spent.refused', topic: 'points.spent.refused.points', key: 'ann', version: 1, generation: 0, time: later, bucket: '2026-11-28' }); // prettier-ignore
    expect(refusal.payload).toBe(spent.payload);
    const contract = refusalContractOf(PointsSpent, 'points');
    expect([contract.type, contract.topic]).toEqual([refusal.type, refusal.topic]);
    expect(await contract.decode(refusal)).toEqual({ points: 7 });
  });

  it('is one message however often it is made, and another for another group', () => {
    expect(refusalOfMessage(spent, by, later).id).toBe(refusalOfMessage({ ...spent, generation: 4 }, by, later).id);
    expect(refusalOfMessage(spent, { ...by, group: 'others' }, later).id).not.toBe(refusalOfMessage(spent, by, later).id); // prettier-ignore
  });

  it('tells who refused what, and why', () => {
    const message = refusalOfMessage(spent, by, later);
    expect(refusalOf({ message })).toEqual({ messageId: 'm1', service: 'shop', group: 'sellers', reason: by.reason });
    expect(refusalOf({ message: spent })).toMatchObject({ messageId: '', group: '', reason: '' });
  });

  it('goes on with the trace, and with nothing else that was asked of the original', () => {
    const { headers } = refusalOfMessage(spent, { ...by, reason: 'x'.repeat(2_000) }, later);
    expect(headers).toEqual({
      [HEADERS.traceparent]: '00-trace',
      [HEADERS.correlationId]: 'm1',
      [HEADERS.causationId]: 'm1',
      [HEADERS.refusedBy]: 'sellers',
      [HEADERS.refusedReason]: 'x'.repeat(1_000), // every broker must take it
    });
    expect([isRefusable(spent), isRefusable({ headers })]).toEqual([true, false]);
  });
});

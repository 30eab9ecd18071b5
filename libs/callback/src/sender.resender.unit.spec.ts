import { HEADERS, type Message, silentLogger, type Store, type Transaction } from '@tidings/core';
import { testMessage } from '@tidings/testing';
import type { ResendQuestion } from './resender';
import { type FindAgain, SenderResender } from './sender.resender';

const question: ResendQuestion = {
  id: 'order 1',
  source: 'shop',
  type: 'order.placed',
  topic: 'order.placed',
  key: null,
  bucket: '2030-05-10',
  time: '2030-05-10T12:00:00.000Z',
  headers: {},
  transaction: '42',
  groups: ['packing'],
};
const message = testMessage({ id: 'order 1' });

describe("the sender's answer", () => {
  let sent: [Message, readonly string[]][];
  let steps: string[];

  beforeEach(() => {
    sent = [];
    steps = [];
  });

  /** `status`: as the server tells it of transaction 42. */
  const answer = (
    status: string | null | Error,
    business: FindAgain | undefined,
    archived?: Message,
    asked = question,
  ) =>
    new SenderResender({
      store: {
        query: async () => {
          steps.push('status');
          if (status instanceof Error) throw status;
          return { rows: [{ status }], rowCount: 1 };
        },
        run: (work: (transaction: Transaction) => Promise<unknown>) => work({} as Transaction),
      } as unknown as Store,
      fromBusiness: () =>
        business &&
        ((...about) => {
          steps.push('look');
          return business(...about);
        }),
      fromArchive: async () => archived,
      send: async (found, groups) => void sent.push([found, groups]),
      logger: silentLogger,
    }).resend(asked);

  it('is "sent" for what is found, to the groups that were asked for', async () => {
    expect(await answer('committed', async () => message)).toBe('sent');
    const again = { ...message, headers: { ...message.headers, [HEADERS.confirm]: 'again' } };
    expect(sent).toEqual([[again, ['packing']]]);
  });

  it('looks at the transaction before it looks for the business: what is over then shows there', async () => {
    await answer('in progress', async () => message);
    expect(steps).toEqual(['status', 'look']);
  });

  it.each([
    ['in progress', 'undecided'],
    ['aborted', 'never'],
    ['committed', 'never'], // the business says so: it was deleted, or was never written
    [null, 'never'],
  ])('is, when the business is not there and its transaction is %s, %s', async (status, expected) => {
    expect(await answer(status, async () => undefined)).toBe(expected);
    expect(sent).toEqual([]);
  });

  it.each([
    ['in progress', 'undecided'],
    ['aborted', 'never'],
    ['committed', 'undecided'], // it may have left the log: only a person can tell
    [null, 'undecided'],
  ])('is, when the log has it no more and its transaction is %s, %s', async (status, expected) => {
    expect(await answer(status, undefined)).toBe(expected);
  });

  it('is "sent" from the log where nobody answers from business data', async () => {
    expect(await answer('committed', undefined, message)).toBe('sent');
  });

  it('is what the business says while it cannot tell', async () => {
    expect(await answer('committed', async () => 'undecided')).toBe('undecided');
    expect(sent).toEqual([]);
  });

  it('takes a number that the server has not given yet for one of before a restore', async () => {
    const future = Object.assign(new Error('transaction ID is in the future'), { code: '22023' });
    expect(await answer(future, async () => message)).toBe('sent');
    expect(await answer(future, undefined)).toBe('undecided');
    await expect(answer(new Error('away'), async () => message)).rejects.toThrow('away');
  });

  it('asks no server about a message without a transaction', async () => {
    expect(await answer(new Error('away'), async () => message, undefined, { ...question, transaction: null })).toBe(
      'sent',
    );
  });
});

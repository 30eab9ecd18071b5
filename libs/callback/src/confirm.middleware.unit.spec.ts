import { accept, HEADERS, type HandlerDefinition, MessageContext, type Middleware, retry, type Settlement, systemClock, type Transaction } from '@tidings/core'; // prettier-ignore
import { testMessage, type TestMessageOverrides } from '@tidings/testing';
import type { Confirmation } from './callback.contracts';
import { confirmMiddlewares } from './confirm.middleware';

const asked: TestMessageOverrides = { id: 'm', headers: { [HEADERS.confirm]: '1' } };

describe('confirming', () => {
  let direct: Confirmation[];
  let written: Confirmation[];
  let outbox: boolean;

  beforeEach(() => {
    direct = [];
    written = [];
    outbox = true;
  });

  const contextOf = (message: TestMessageOverrides, handler: object = {}, broadcast = false) => {
    const subscription = {
      topic: 'gift.sent',
      group: 'ranking',
      ordered: false,
      broadcast,
      concurrency: 1,
      from: 'now',
    };
    const definition = { name: 'rank', subscription, store: 'default', level: 'effectivelyOnce', ...handler };
    const delivery = { message: testMessage(message), attempt: 1, redelivered: false };
    return new MessageContext(delivery, definition as unknown as HandlerDefinition, new AbortController().signal);
  };
  const middlewares = () =>
    confirmMiddlewares({
      confirmer: { confirm: (one) => void direct.push(one) },
      clock: systemClock,
      ...(outbox && {
        outboxOf: () => ({
          within: () => ({
            publish: async (_contract, payload) =>
              void written.push(...(payload as unknown as { confirmations: Confirmation[] }).confirmations),
          }),
        }),
      }),
    });
  /** `inbox`: 'new' runs the handler in a transaction, 'copy' does not. */
  const handle = async (
    context: MessageContext,
    inbox: 'new' | 'copy',
    settlement: Settlement = accept,
    { accepted, handled } = middlewares(),
  ): Promise<Settlement> => {
    const body: Middleware = async () => settlement;
    return accepted(context, async () => {
      if (inbox === 'copy') return accept;
      context.transaction = {} as Transaction;
      try {
        return await handled(context, () => body(context, () => Promise.resolve(accept)));
      } finally {
        context.transaction = undefined;
      }
    });
  };

  it('is part of the transaction of what was handled', async () => {
    await handle(contextOf(asked), 'new');
    expect(written).toEqual([expect.objectContaining({ id: 'm', group: 'ranking', copy: false })]);
    expect(direct).toEqual([]);
  });

  it('is sent directly of what was handled where there is no outbox', async () => {
    outbox = false;
    await handle(contextOf(asked), 'new');
    expect(direct).toEqual([expect.objectContaining({ id: 'm', copy: false })]);
  });

  it('tells that the inbox knew it: what was lost may have been the first confirmation', async () => {
    await handle(contextOf(asked), 'copy');
    expect(direct).toEqual([expect.objectContaining({ id: 'm', copy: true })]);
    expect(written).toEqual([]);
  });

  it.each([
    ['1', false],
    ['again', true],
  ])('tells whether what was handled was sent again: %s', async (confirm, resent) => {
    const context = contextOf({ ...asked, headers: { [HEADERS.confirm]: confirm } });
    await handle(context, 'new');
    expect(written).toEqual([expect.objectContaining({ resent })]);
  });

  it('is not of what failed; nor is the next attempt taken for a copy', async () => {
    const context = contextOf(asked);
    const both = middlewares();
    await handle(context, 'new', retry(0), both);
    expect([direct, written]).toEqual([[], []]);
    await handle(context, 'new', accept, both);
    expect([direct.length, written.length]).toEqual([0, 1]);
  });

  it.each([
    ['nobody asked for it', [{ id: 'm' }]],
    ['it is a broadcast', [asked, {}, true]],
    ['it may be lost anyway', [asked, { level: 'atMostOnce' }]],
    ['it is foreign', [{ ...asked, bucket: null }]],
  ] as [string, Parameters<typeof contextOf>][])('is not when %s', async (_why, parameters) => {
    for (const inbox of ['new', 'copy'] as const) await handle(contextOf(...parameters), inbox);
    expect([direct, written]).toEqual([[], []]);
  });
});

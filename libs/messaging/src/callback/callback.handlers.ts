import { Injectable } from '@nestjs/common';
import { CALLBACK_GROUP, CallbackDesk, Confirmed, Recheck, type RecheckPayload, Subscribed } from '@tidings/callback';
import { exponential, type MessageContext, type PayloadOf, TidingsError, type Transaction } from '@tidings/core';
import { OnMessage } from '../decorators/on-message.decorator';
import { OnMessages } from '../decorators/on-messages.decorator';
import type { BatchContext, BatchItem } from '../handling/batch-context';

/** What is filed twice is filed once: no inbox row is needed, only the transaction. */
const SETTINGS = { group: CALLBACK_GROUP, level: 'atLeastOnce', retry: exponential({ attempts: 20 }) } as const;
const BATCH = { size: 200 };

/** What the callback service receives. */
@Injectable()
export class CallbackHandlers {
  constructor(private readonly desk: CallbackDesk) {}

  @OnMessages(Recheck, { ...SETTINGS, batch: BATCH })
  async recheck(items: BatchItem<RecheckPayload>[], context: BatchContext): Promise<void> {
    await this.desk.recheck(items, transactionOf(context));
  }

  @OnMessages(Confirmed, { ...SETTINGS, batch: BATCH })
  async confirmed(items: BatchItem<PayloadOf<typeof Confirmed>>[], context: BatchContext): Promise<void> {
    const confirmations = items.flatMap(({ payload }) => payload.confirmations);
    await this.desk.confirm(confirmations, transactionOf(context));
  }

  @OnMessage(Subscribed, SETTINGS)
  async subscribed({ subscriptions, since }: PayloadOf<typeof Subscribed>, context: MessageContext): Promise<void> {
    await this.desk.subscribed(subscriptions, since, transactionOf(context));
  }
}

function transactionOf({ transaction }: BatchContext | MessageContext): Transaction {
  if (transaction) return transaction;
  throw new TidingsError('TIDINGS_CALLBACK', 'the callback service needs a store; name one in messaging.stores');
}

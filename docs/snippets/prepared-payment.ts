import { Injectable } from '@nestjs/common';
import { managerOf } from '@tidings/database';
import {
  type CheckBackAnswer,
  defineMessage,
  InjectOutbox,
  InjectReclaim,
  type MessageContext,
  OnCheckBack,
  type Outbox,
  type PayloadOf,
  type Reclaimer,
  type ReclaimReport,
  type ReclaimScheduler,
} from '@tidings/messaging';
import { z } from 'zod';

// The code that docs/reclaim.md shows; run by test/docs/reclaim.int.spec.ts.

export const PaymentTaken = defineMessage('payment.taken', {
  schema: z.object({ paymentId: z.string(), coins: z.number() }),
});

/** Somebody else's service: no transaction of ours covers it. */
export abstract class PaymentProvider {
  abstract take(paymentId: string, coins: number): Promise<void>;
  abstract wasTaken(paymentId: string): Promise<boolean | undefined>;
}

// #region prepare
@Injectable()
export class TakePayment {
  constructor(
    @InjectOutbox() private readonly outbox: Outbox,
    private readonly provider: PaymentProvider,
  ) {}

  async take(paymentId: string, coins: number): Promise<void> {
    const taken = await this.outbox.prepare(PaymentTaken, { paymentId, coins }); // written, and has not left
    try {
      await this.provider.take(paymentId, coins); // whoever dies here leaves it undecided
    } catch (error) {
      if ((await this.provider.wasTaken(paymentId)) === false) await taken.rollback(); // it never leaves
      throw error;
    }
    await taken.commit(); // it leaves
  }
}
// #endregion

// #region check-back
@Injectable()
export class PaymentCheckBack {
  constructor(private readonly provider: PaymentProvider) {}

  @OnCheckBack(PaymentTaken)
  async checkBack({ paymentId }: PayloadOf<typeof PaymentTaken>, context: MessageContext): Promise<CheckBackAnswer> {
    const taken = await this.provider.wasTaken(paymentId);
    if (taken === undefined) return 'unknown'; // asked again, each time twice as late
    if (taken) await managerOf(context).query('insert into payment (id) values ($1)', [paymentId]); // commits with the decision
    return taken ? 'commit' : 'rollback';
  }
}
// #endregion

// #region reclaim
@Injectable()
export class Operator {
  constructor(@InjectReclaim() private readonly reclaim: ReclaimScheduler) {}

  async takeBackNow(): Promise<number> {
    const reports = await this.reclaim.run();
    return reports.reduce((sum, { reclaimed }) => sum + reclaimed, 0);
  }
}

export class StaleUploads implements Reclaimer {
  readonly name = 'stale uploads';

  async reclaim(): Promise<ReclaimReport> {
    return { name: this.name, reclaimed: 0 }; // a bounded page of what nobody will finish any more
  }
}
// #endregion

import { Injectable } from '@nestjs/common';
import { managerOf } from '@tidings/database';
import {
  defineRequest,
  InjectRequester,
  type MessageContext,
  MessageRequester,
  OnRequest,
  ResponderError,
} from '@tidings/messaging';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

// The code that docs/request-reply.md shows.

@Entity('wallet')
export class Wallet {
  @PrimaryColumn('text')
  id!: string;

  @Column('int')
  coins!: number;
}

// #region contract
export const SpendCoins = defineRequest('wallet.spend', {
  schema: z.object({ walletId: z.string(), coins: z.number().int().positive() }),
  reply: { schema: z.object({ left: z.number().int() }) },
});
// #endregion

// #region error
export class TooFewCoins extends Error {
  readonly code = 'TOO_FEW_COINS';
}
// #endregion

// #region responder
@Injectable()
export class WalletResponder {
  @OnRequest(SpendCoins)
  async spend({ walletId, coins }: { walletId: string; coins: number }, context: MessageContext) {
    const manager = managerOf(context);
    const wallet = await manager.findOneByOrFail(Wallet, { id: walletId });
    if (wallet.coins < coins) throw new TooFewCoins(`wallet ${walletId} has ${wallet.coins} coins`);
    await manager.decrement(Wallet, { id: walletId }, 'coins', coins);
    return { left: wallet.coins - coins };
  }
}
// #endregion

// #region requester
@Injectable()
export class Shop {
  constructor(@InjectRequester() private readonly requester: MessageRequester) {}

  async buy(walletId: string, coins: number, signal: AbortSignal): Promise<number | undefined> {
    try {
      const { left } = await this.requester.request(SpendCoins, { walletId, coins }, { timeoutMs: 3_000, signal });
      return left;
    } catch (error) {
      if (error instanceof ResponderError && error.failure.code === 'TOO_FEW_COINS') return undefined;
      throw error; // RequestTimeoutError: it may have been spent all the same
    }
  }
}
// #endregion

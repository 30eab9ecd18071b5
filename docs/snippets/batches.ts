import { Injectable } from '@nestjs/common';
import { managerOf } from '@tidings/database';
import { type BatchContext, BatchError, type BatchItem, OnMessages } from '@tidings/messaging';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { GiftSent } from './gift-pipeline';

// The code that docs/batches.md shows.

@Entity('count')
export class Count {
  @PrimaryColumn('text')
  id!: string;

  @Column('int')
  coins!: number;
}

// #region batch
@Injectable()
export class CountGiftsHandler {
  @OnMessages(GiftSent, { group: 'counting', batch: { size: 200 } })
  async count(items: BatchItem<GiftSent>[], context: BatchContext): Promise<void> {
    const unknown = items.filter(({ payload }) => payload.roomId === '').map(({ id }) => id);
    if (unknown.length > 0) throw new BatchError(unknown); // they have failed; the others run again without them
    await managerOf(context).insert(
      Count,
      items.map(({ id, payload }) => ({ id, coins: payload.coins })),
    );
  }
}
// #endregion

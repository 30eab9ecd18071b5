import { Injectable } from '@nestjs/common';
import { managerOf } from '@tidings/database';
import { Compensate, defineMessage, type MessageContext, OnMessage, type Outbox, type PayloadOf, refusalOf, RefusedError } from '@tidings/messaging'; // prettier-ignore
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';

declare function takePoints(manager: EntityManager, spent: Spent): Promise<void>;
declare function givePoints(manager: EntityManager, spent: Spent, reason: string): Promise<void>;
declare function isOpen(manager: EntityManager, roomId: string): Promise<boolean>;
declare function writeGift(manager: EntityManager, spent: Spent): Promise<void>;

// #region contract
export const PointsSpent = defineMessage('points.spent', {
  schema: z.object({ viewerId: z.string(), roomId: z.string(), points: z.number().int().positive() }),
  key: ({ viewerId }) => viewerId,
  refusable: true,
});
type Spent = PayloadOf<typeof PointsSpent>;
// #endregion

// #region sender
@Injectable()
export class Points {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  async spend(spent: Spent): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await takePoints(manager, spent);
      await this.outbox.within(manager).publish(PointsSpent, spent);
    });
  }

  @Compensate(PointsSpent, { ordered: true })
  async refund(spent: Spent, context: MessageContext): Promise<void> {
    await givePoints(managerOf(context), spent, refusalOf(context).reason);
  }
}
// #endregion

// #region receiver
@Injectable()
export class Shop {
  @OnMessage(PointsSpent, { group: 'shop', ordered: true })
  async sell(spent: Spent, context: MessageContext): Promise<void> {
    const manager = managerOf(context);
    if (!(await isOpen(manager, spent.roomId))) throw new RefusedError(`room ${spent.roomId} is closed`);
    await writeGift(manager, spent);
  }
}
// #endregion

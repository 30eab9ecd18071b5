import { Injectable, UnprocessableEntityException } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PointsRedeemed, type RedemptionView } from '@tidings/gift-contracts';
import { InjectOutbox, type Outbox } from '@tidings/messaging';
import { findRedemption } from './sql/find-redemption';
import { insertEntry } from './sql/insert-entry';
import { insertRedemption } from './sql/insert-redemption';
import { takePoints } from './sql/take-points';

/** Debits the points and tells gift-api, in one transaction. What gift-api makes of it comes back as a gift, or as a refusal. */
@Injectable()
export class RedeemPoints {
  constructor(
    private readonly dataSource: DataSource,
    @InjectOutbox() private readonly outbox: Outbox,
  ) {}

  /** Repeatable: the id is the client's. @throws UnprocessableEntityException when the viewer has too few points. */
  redeem(redemption: PointsRedeemed): Promise<RedemptionView> {
    const { redemptionId, viewerId, points } = redemption;
    return this.dataSource.transaction(async (manager) => {
      if (await insertRedemption(manager, redemption)) {
        if (!(await takePoints(manager, viewerId, points)))
          throw new UnprocessableEntityException(`points: ${viewerId} has fewer than ${points}`);
        await insertEntry(manager, { kind: 'redeemed', viewerId, points: -points, reference: redemptionId });
        await this.outbox.within(manager).publish(PointsRedeemed, redemption, { id: redemptionId });
      }
      return (await findRedemption(manager, redemptionId))!;
    });
  }
}

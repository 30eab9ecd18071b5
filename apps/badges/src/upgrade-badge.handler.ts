import { Injectable } from '@nestjs/common';
import { exponential, type MessageContext } from '@tidings/core';
import { managerOf } from '@tidings/database';
import { BadgeUpgraded, GiftSent } from '@tidings/gift-contracts';
import { InjectOutbox, OnMessage, type Outbox } from '@tidings/messaging';
import { badgeLevel } from './badge-level';
import { addToViewer } from './sql/add-to-viewer';

@Injectable()
export class UpgradeBadgeHandler {
  constructor(@InjectOutbox() private readonly outbox: Outbox) {}

  /** In each room's order, for upgrades are told there: a gift that fails parks its room here and nowhere else. */
  @OnMessage(GiftSent, {
    group: 'badges',
    ordered: true,
    concurrency: 4,
    retry: exponential({ attempts: 4, immediate: 0, delayMs: 200 }),
  })
  async upgrade({ viewerId, roomId, ...gift }: GiftSent, context: MessageContext): Promise<void> {
    const manager = managerOf(context);
    const amountMinor = await addToViewer(manager, { viewerId, roomId, ...gift });
    const before = badgeLevel(amountMinor - gift.amountMinor);
    const { level, badge } = badgeLevel(amountMinor);
    if (level === before.level) return;
    await this.outbox
      .within(manager)
      .publish(
        BadgeUpgraded,
        { viewerId, roomId, level, badge, amountMinor },
        { cause: context.message, route: 'optional' },
      );
  }
}

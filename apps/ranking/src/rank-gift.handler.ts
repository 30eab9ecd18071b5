import { Injectable } from '@nestjs/common';
import type { MessageContext } from '@tidings/core';
import { managerOf } from '@tidings/database';
import { GiftSent, RankingChanged } from '@tidings/gift-contracts';
import { InjectOutbox, OnMessage, type Outbox } from '@tidings/messaging';
import { addToViewer } from './sql/add-to-viewer';
import { topOfRoom } from './top-of-room';

const TOP = 10;

@Injectable()
export class RankGiftHandler {
  constructor(@InjectOutbox() private readonly outbox: Outbox) {}

  /** One room's gifts in their order: the ranking that a screen shows never jumps back. */
  @OnMessage(GiftSent, { group: 'ranking', ordered: true, concurrency: 4 })
  async rank(gift: GiftSent, context: MessageContext): Promise<void> {
    const manager = managerOf(context);
    await addToViewer(manager, gift);
    const top = await topOfRoom(manager, gift.roomId, TOP);
    // A gift of somebody below the top changes nothing that a screen shows; and when there is no screen, nobody need hear.
    if (!top.some((viewer) => viewer.viewerId === gift.viewerId)) return;
    await this.outbox
      .within(manager)
      .publish(RankingChanged, { roomId: gift.roomId, top }, { cause: context.message, route: 'optional' });
  }
}

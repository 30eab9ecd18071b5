import { Injectable } from '@nestjs/common';
import { BadgeUpgraded, GiftSent, RankingChanged } from '@tidings/gift-contracts';
import { OnMessage } from '@tidings/messaging';
import { RoomGateway } from './room.gateway';

/**
 * Every gateway hears everything, since each has other screens. There is nothing in a database to protect: no inbox, and no transaction around each
 * event either (`atLeastOnce` would open one). What a gateway that dies was about to show, its screens read again when they connect anew.
 */
const toEveryGateway = { group: 'room-gateway', broadcast: true, level: 'atMostOnce', concurrency: 16 } as const;

@Injectable()
export class BroadcastHandler {
  constructor(private readonly gateway: RoomGateway) {}

  @OnMessage(GiftSent, toEveryGateway)
  gift(gift: GiftSent): void {
    this.gateway.emit(gift.roomId, 'gift', gift);
  }

  @OnMessage(RankingChanged, toEveryGateway)
  ranking(ranking: RankingChanged): void {
    this.gateway.emit(ranking.roomId, 'ranking', ranking);
  }

  @OnMessage(BadgeUpgraded, toEveryGateway)
  badge(badge: BadgeUpgraded): void {
    this.gateway.emit(badge.roomId, 'badge', badge);
  }
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { GiftView } from '@tidings/gift-contracts';
import { bigintColumn } from '@tidings/gift-platform';

@Entity('gift')
export class GiftEntity {
  @PrimaryColumn('uuid', { name: 'gift_id' })
  giftId!: string;

  @Column('bigint', { transformer: bigintColumn, generated: 'increment' })
  seq!: number;

  @Column('text', { name: 'room_id' })
  roomId!: string;

  @Column('text', { name: 'streamer_id' })
  streamerId!: string;

  @Column('text', { name: 'viewer_id' })
  viewerId!: string;

  @Column('text')
  gift!: string;

  @Column('integer')
  quantity!: number;

  @Column('bigint', { name: 'amount_minor', transformer: bigintColumn })
  amountMinor!: number;

  @Column('bigint', { transformer: bigintColumn })
  ordinal!: number;

  @Column('timestamptz', { name: 'sent_at' })
  sentAt!: Date;

  @Column('text', { name: 'idempotency_key', nullable: true })
  idempotencyKey!: string | null;
}

export const viewOf = (gift: GiftEntity): GiftView => ({ ...gift, sentAt: gift.sentAt.toISOString() });

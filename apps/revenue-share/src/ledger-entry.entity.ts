import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { LedgerAccount, LedgerEntryView } from '@tidings/gift-contracts';
import { bigintColumn } from '@tidings/gift-platform';

@Entity('ledger_entry')
export class LedgerEntryEntity {
  @PrimaryColumn('bigint', { transformer: bigintColumn })
  id!: number;

  @Column('uuid', { name: 'gift_id' })
  giftId!: string;

  @Column('text', { name: 'room_id' })
  roomId!: string;

  @Column('text', { name: 'streamer_id' })
  streamerId!: string;

  @Column('text')
  account!: LedgerAccount;

  @Column('bigint', { name: 'amount_minor', transformer: bigintColumn })
  amountMinor!: number;

  @Column('timestamptz', { name: 'booked_at' })
  bookedAt!: Date;
}

export const viewOf = ({
  id,
  giftId,
  roomId,
  streamerId,
  account,
  amountMinor,
}: LedgerEntryEntity): LedgerEntryView => ({
  id,
  giftId,
  roomId,
  streamerId,
  account,
  amountMinor,
});

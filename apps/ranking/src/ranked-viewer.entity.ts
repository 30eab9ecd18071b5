import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintColumn } from '@tidings/gift-platform';

@Entity('ranked_viewer')
export class RankedViewerEntity {
  @PrimaryColumn('text', { name: 'room_id' })
  roomId!: string;

  @PrimaryColumn('text', { name: 'viewer_id' })
  viewerId!: string;

  @Column('bigint', { transformer: bigintColumn })
  gifts!: number;

  /** What the viewer gave in this room, all gifts together. */
  @Column('bigint', { name: 'amount_minor', transformer: bigintColumn })
  amountMinor!: number;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintColumn } from '@tidings/gift-platform';

@Entity('viewer')
export class ViewerEntity {
  @PrimaryColumn('text', { name: 'viewer_id' })
  viewerId!: string;

  @Column('bigint', { transformer: bigintColumn })
  gifts!: number;

  /** What the viewer gave, in all rooms together. */
  @Column('bigint', { name: 'amount_minor', transformer: bigintColumn })
  amountMinor!: number;
}

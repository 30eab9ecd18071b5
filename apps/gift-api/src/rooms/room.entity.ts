import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintColumn } from '@tidings/gift-platform';

@Entity('room')
export class RoomEntity {
  @PrimaryColumn('text', { name: 'room_id' })
  roomId!: string;

  @Column('text')
  title!: string;

  @Column('text', { name: 'streamer_id' })
  streamerId!: string;

  @Column('text', { name: 'streamer_name' })
  streamerName!: string;

  /** Of the room's last gift. Raised only by `takeOrdinal`, under the row's lock. */
  @Column('bigint', { transformer: bigintColumn })
  ordinal!: number;
}

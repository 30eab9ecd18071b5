import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rooms and the gifts given in them. */
export class CreateGiftApi1763700000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create schema gift_api;

      create table gift_api.room (
        room_id text primary key,
        title text not null,
        streamer_id text not null,
        streamer_name text not null,
        -- The ordinal of the room's last gift. Whoever raises it holds the row's lock until commit: that is the order of the room.
        ordinal bigint not null default 0
      ) with (fillfactor = 50); -- updated with every gift: room for heap-only updates

      create table gift_api.gift (
        gift_id uuid primary key,
        seq bigint generated always as identity,
        room_id text not null references gift_api.room,
        streamer_id text not null,
        viewer_id text not null,
        gift text not null,
        quantity integer not null check (quantity > 0),
        amount_minor bigint not null check (amount_minor >= 0),
        ordinal bigint not null,
        sent_at timestamptz not null default clock_timestamp(),
        idempotency_key text unique,
        unique (room_id, ordinal)
      );
      create unique index on gift_api.gift (seq);

      insert into gift_api.room (room_id, title, streamer_id, streamer_name) values
        ('lofi', 'Late-night lo-fi', 'mika', 'Mika'),
        ('speedrun', 'Any % or nothing', 'tomasz', 'Tomasz'),
        ('kitchen', 'Dumplings from scratch', 'li-na', 'Li Na'),
        ('chess', 'Blitz with subscribers', 'amara', 'Amara');`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop schema gift_api cascade');
  }
}

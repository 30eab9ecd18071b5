import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The ledger: only ever appended to, two entries a gift. Deliberately no unique key on the gift: the inbox alone prevents a double. */
export class CreateRevenueShare1763700000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create schema revenue_share;

      create table revenue_share.ledger_entry (
        id bigint generated always as identity primary key,
        gift_id uuid not null,
        room_id text not null,
        streamer_id text not null,
        account text not null check (account in ('streamer', 'platform')),
        amount_minor bigint not null check (amount_minor >= 0),
        booked_at timestamptz not null default clock_timestamp()
      );
      create index on revenue_share.ledger_entry (streamer_id);`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop schema revenue_share cascade');
  }
}

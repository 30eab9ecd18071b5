import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Bonus points, in a database of achievements' own. Each change of an account is an entry. Deliberately no unique key on what an entry is for: the inbox
 * alone prevents a double grant, and a double refund.
 */
export class CreateAchievements1763700000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create schema achievements;

      create table achievements.points_account (
        viewer_id text primary key,
        points bigint not null check (points >= 0)
      );
      create table achievements.points_entry (
        id bigint generated always as identity primary key,
        viewer_id text not null,
        kind text not null check (kind in ('granted', 'redeemed', 'refunded')),
        points bigint not null, -- redeemed: negative
        reference text not null, -- the gift, or the redemption
        booked_at timestamptz not null default clock_timestamp()
      );
      create table achievements.redemption (
        redemption_id uuid primary key,
        viewer_id text not null,
        room_id text not null,
        gift text not null,
        points bigint not null check (points > 0),
        refusal text
      );`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop schema achievements cascade');
  }
}

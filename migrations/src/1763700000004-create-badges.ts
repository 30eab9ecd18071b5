import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each viewer has given anywhere; the level follows from the sum. */
export class CreateBadges1763700000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create schema badges;

      create table badges.viewer (
        viewer_id text primary key,
        gifts bigint not null,
        amount_minor bigint not null
      );
      create index on badges.viewer (amount_minor desc, viewer_id);`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop schema badges cascade');
  }
}

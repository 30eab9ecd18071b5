import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each viewer has given in each room. A running sum: nothing in it tells whether a gift is in it already. */
export class CreateRanking1763700000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create schema ranking;

      create table ranking.ranked_viewer (
        room_id text not null,
        viewer_id text not null,
        gifts bigint not null,
        amount_minor bigint not null,
        primary key (room_id, viewer_id)
      );
      create index on ranking.ranked_viewer (room_id, amount_minor desc, viewer_id);`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop schema ranking cascade');
  }
}

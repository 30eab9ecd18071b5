import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the check is judged by: every delivery of every app, written outside of the handlers' transactions. Filled only with DEMO_HISTORY=1. */
export class CreateHistory1763700000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create schema if not exists demo;

      create table demo.history (
        id bigint generated always as identity primary key,
        at timestamptz not null default clock_timestamp(),
        run text not null,
        app text not null,
        event text not null,
        message_id text,
        gift_id text,
        room_id text,
        ordinal bigint,
        attempt integer,
        detail text
      );
      create index on demo.history (run, app, event);`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table demo.history');
  }
}

import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { demoMigrations } from './demo-migrations';
import { migrateDemo } from './migrate-demo';

export interface DemoDatabase {
  readonly url: string;
  /** Drops it, with whoever is still connected. */
  drop(): Promise<void>;
}

/** A database of its own on the server of `serverUrl`, with the tables of `migrations` (default: of all apps that share one): for specs, which must not meet each other's gifts. */
export async function createDemoDatabase(serverUrl: string, migrations = demoMigrations): Promise<DemoDatabase> {
  const name = `gifts_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const drop = (): Promise<void> => onServer(serverUrl, `drop database ${name} with (force)`);
  try {
    await migrateDemo(url.href, migrations);
  } catch (error) {
    await drop();
    throw error;
  }
  return { url: url.href, drop };
}

async function onServer(url: string, statement: string): Promise<void> {
  const server = await new DataSource({ type: 'postgres', url, applicationName: 'demo database' }).initialize();
  await server.query(statement).finally(() => server.destroy());
}

import { quoted } from '@tidings/core';
import { Client } from 'pg';

/** A database that belongs to one check: earlier runs cannot confuse it, and nothing of it stays. */
export interface CheckDatabase {
  readonly url: string;
  /** Safe twice; cuts connections that are still open. */
  drop(): Promise<void>;
}

/** Creates `tidings_check_<run>` on the server of `serverUrl`, whose role must be allowed to. */
export async function createCheckDatabase(serverUrl: string, run: string): Promise<CheckDatabase> {
  const name = `tidings_check_${run}`;
  await onServer(serverUrl, `create database ${quoted(name)}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(serverUrl, `drop database if exists ${quoted(name)} with (force)`) };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

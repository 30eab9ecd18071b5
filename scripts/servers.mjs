// Finds the servers that specs, the conformance table and the demo run against. Never stops a server that it did not start.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const LOCAL_POSTGRES = 'postgres://postgres@127.0.0.1:5432/test';
const LOCAL_RABBITMQ = 'amqp://guest:guest@127.0.0.1:5672';
const PROBE_MS = 3_000;
const OLDEST = 130_000;

/** Undefined when the server answers a query, else why not. A port that is open proves nothing. */
async function whyNotPostgres(url) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: url, connectionTimeoutMillis: PROBE_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query("select current_setting('server_version_num')::int as version");
    return rows[0].version >= OLDEST ? undefined : `expected PostgreSQL 13 or newer, found ${rows[0].version}`;
  } catch (error) {
    return error.message || error.code || String(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Undefined when the broker completes the handshake, else why not. */
async function whyNotRabbitmq(url) {
  try {
    const connection = await require('amqplib').connect(url, { timeout: PROBE_MS });
    connection.on('error', () => undefined);
    await connection.close();
    return undefined;
  } catch (error) {
    return error.message || error.code || String(error);
  }
}

/** An address that somebody set must work: to take another server silently would test, or fill, the wrong one. */
async function fromEnvironment(names, whyNot) {
  for (const name of names) {
    const url = process.env[name];
    if (!url) continue;
    const problem = await whyNot(url);
    if (problem) throw new Error(`${name}: the server does not answer (${problem}); start it, or unset ${name}`);
    return { url, from: name };
  }
  return undefined;
}

/** Starts the embedded PostgreSQL, building its launcher first if that is missing or older than its source. */
export async function embeddedPostgres({ dataDir = join(root, '.tidings', 'test-postgres'), database = 'test' } = {}) {
  const built = spawnSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-b', 'libs/embedded-postgres'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(`libs/embedded-postgres does not build: ${built.stdout}${built.stderr}`);
  const { startEmbeddedPostgres } = require(join(root, 'libs', 'embedded-postgres', 'dist', 'index.js'));
  return startEmbeddedPostgres({ dataDir, database });
}

/**
 * PostgreSQL: TIDINGS_TEST_POSTGRES_URL, DATABASE_URL, a local server, else the embedded one. RabbitMQ: TIDINGS_TEST_RABBITMQ_URL, RABBITMQ_URL,
 * a local broker, else none. With `embedded` (TIDINGS_EMBEDDED=1) nothing is looked for: the embedded PostgreSQL and no broker.
 *
 * Returns `{ postgres, rabbitmq, missing, stop }`: each server as `{ url, from }` or undefined, what is missing and why, and what ends those that
 * were started here.
 */
export async function findServers({ embedded = process.env.TIDINGS_EMBEDDED === '1', dataDir, database } = {}) {
  const missing = {};
  let started;
  let postgres;
  let rabbitmq;
  if (!embedded) {
    postgres = await fromEnvironment(['TIDINGS_TEST_POSTGRES_URL', 'DATABASE_URL'], whyNotPostgres);
    if (!postgres && !(await whyNotPostgres(LOCAL_POSTGRES))) postgres = { url: LOCAL_POSTGRES, from: 'found running' };
    rabbitmq = await fromEnvironment(['TIDINGS_TEST_RABBITMQ_URL', 'RABBITMQ_URL'], whyNotRabbitmq);
    if (!rabbitmq) {
      const problem = await whyNotRabbitmq(LOCAL_RABBITMQ);
      if (problem) missing.rabbitmq = problem;
      else rabbitmq = { url: LOCAL_RABBITMQ, from: 'found running' };
    }
  } else missing.rabbitmq = 'TIDINGS_EMBEDDED=1 uses none';
  if (!postgres) {
    try {
      started = await embeddedPostgres({ ...(dataDir && { dataDir }), ...(database && { database }) });
      postgres = { url: started.url, from: 'embedded' };
    } catch (error) {
      missing.postgres = error.message;
    }
  }
  return { postgres, rabbitmq, missing, stop: async () => started?.stop() };
}

/** An address without its password, for printing. */
export function printable(url) {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}

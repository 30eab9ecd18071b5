// Finds the servers that specs, the conformance table and the demo run against. Never stops a server that it did not start.
import { spawnSync } from 'node:child_process';
import { connect as connectHttp2 } from 'node:http2';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A busy machine is slow to answer, and a server taken for missing is a spec that silently does not run. */
const PROBE_MS = 10_000;
const OLDEST = 130_000;

const asProblem = (error) => error.message || error.code || String(error);

/** Resolves with undefined when `ask` does, else with why not: a port that is open proves nothing. */
async function answers(ask) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PROBE_MS} ms`)), PROBE_MS);
  });
  try {
    await Promise.race([ask(), late]);
    return undefined;
  } catch (error) {
    return asProblem(error);
  } finally {
    clearTimeout(timer);
  }
}

/** By name: the variables that may hold the address, the usual address, and what asks whether a server answers there. */
const SERVERS = {
  postgres: {
    variables: ['TIDINGS_TEST_POSTGRES_URL', 'DATABASE_URL'],
    local: 'postgres://postgres@127.0.0.1:5432/test',
    ask: async (url) => {
      const { Client } = require('pg');
      const client = new Client({ connectionString: url, connectionTimeoutMillis: PROBE_MS });
      client.on('error', () => undefined);
      try {
        await client.connect();
        const { rows } = await client.query("select current_setting('server_version_num')::int as version");
        if (rows[0].version < OLDEST) throw new Error(`expected PostgreSQL 13 or newer, found ${rows[0].version}`);
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  },
  rabbitmq: {
    variables: ['TIDINGS_TEST_RABBITMQ_URL', 'RABBITMQ_URL'],
    local: 'amqp://guest:guest@127.0.0.1:5672',
    ask: async (url) => {
      const connection = await require('amqplib').connect(url, { timeout: PROBE_MS });
      connection.on('error', () => undefined);
      await connection.close();
    },
  },
  redis: {
    variables: ['TIDINGS_TEST_REDIS_URL', 'REDIS_URL'],
    local: 'redis://127.0.0.1:6379',
    ask: async (url) => {
      const { Redis } = require('ioredis');
      const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: PROBE_MS });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.ping();
      } finally {
        client.disconnect();
      }
    },
  },
  kafka: {
    variables: ['TIDINGS_TEST_KAFKA_URL', 'KAFKA_URL'],
    local: 'kafka://127.0.0.1:9092',
    ask: async (url) => {
      const { Kafka, logLevel } = require('kafkajs');
      const settings = { connectionTimeout: PROBE_MS, retry: { retries: 0 }, logLevel: logLevel.NOTHING };
      const admin = new Kafka({ clientId: 'tidings-probe', brokers: [new URL(url).host], ...settings }).admin();
      try {
        await admin.connect();
        await admin.describeCluster();
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },
  },
  /** The address of the gRPC proxy. */
  rocketmq: {
    variables: ['TIDINGS_TEST_ROCKETMQ_URL', 'ROCKETMQ_URL'],
    local: 'rocketmq://127.0.0.1:8081',
    ask: (url) =>
      new Promise((resolve, reject) => {
        // The proxy's own client needs seconds to be sure; its HTTP/2 settings come at once.
        const session = connectHttp2(`http://${new URL(url).host}`);
        session.once('error', reject);
        session.once('remoteSettings', () => session.close(resolve));
      }),
  },
  mqtt: {
    variables: ['TIDINGS_TEST_MQTT_URL', 'MQTT_URL'],
    local: 'mqtt://127.0.0.1:1883',
    ask: async (url) => {
      const client = await require('mqtt').connectAsync(url, { connectTimeout: PROBE_MS, reconnectPeriod: 0 }, false);
      await client.endAsync();
    },
  },
  nats: {
    variables: ['TIDINGS_TEST_NATS_URL', 'NATS_URL'],
    local: 'nats://127.0.0.1:4222',
    ask: async (url) => {
      const connection = await require('@nats-io/transport-node').connect({ servers: url, timeout: PROBE_MS });
      await connection.close();
    },
  },
};

export const SERVER_NAMES = Object.keys(SERVERS);
const whyNot = (name, url) => answers(() => SERVERS[name].ask(url));

/** An address that somebody set must work: to take another server silently would test, or fill, the wrong one. */
async function fromEnvironment(name) {
  for (const variable of SERVERS[name].variables) {
    const url = process.env[variable];
    if (!url) continue;
    const problem = await whyNot(name, url);
    if (problem)
      throw new Error(`${variable}: the server does not answer (${problem}); start it, or unset ${variable}`);
    return { url, from: variable };
  }
  return undefined;
}

/** Set by somebody, or running at the usual address; else why not. */
async function findRunning(name) {
  const set = await fromEnvironment(name);
  if (set) return { server: set };
  const { local: url } = SERVERS[name];
  const problem = await whyNot(name, url);
  return problem ? { problem } : { server: { url, from: 'found running' } };
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
 * Each server by its variables (`SERVERS`), else at its usual address; PostgreSQL else embedded. With `embedded` (TIDINGS_EMBEDDED=1) nothing is looked
 * for: the embedded PostgreSQL and no broker. `names`: those that are of interest; default all.
 *
 * Returns each server that was found as `{ url, from }` by its name; `missing`: why not, by name; `stop`, which ends those that were started here.
 */
export async function findServers({
  embedded = process.env.TIDINGS_EMBEDDED === '1',
  names = SERVER_NAMES,
  dataDir,
  database,
} = {}) {
  const found = {};
  const missing = {};
  let started;
  await Promise.all(
    names.map(async (name) => {
      const { server, problem } = embedded ? { problem: 'TIDINGS_EMBEDDED=1 uses none' } : await findRunning(name);
      if (server) found[name] = server;
      else missing[name] = problem;
    }),
  );
  if (names.includes('postgres') && !found.postgres) {
    try {
      started = await embeddedPostgres({ ...(dataDir && { dataDir }), ...(database && { database }) });
      found.postgres = { url: started.url, from: 'embedded' };
      delete missing.postgres;
    } catch (error) {
      missing.postgres = error.message;
    }
  }
  return { ...found, missing, stop: async () => started?.stop() };
}

/** What specs read their servers' addresses from; empty: none is there. */
export const testEnvironment = (servers) =>
  Object.fromEntries(SERVER_NAMES.map((name) => [SERVERS[name].variables[0], servers[name]?.url ?? '']));

/** A line a server, for a person. */
export const serverLines = (servers) =>
  SERVER_NAMES.map((name) =>
    servers[name]
      ? `${name}: ${printable(servers[name].url)} (${servers[name].from})`
      : `${name}: none (${servers.missing[name]})`,
  );

/** An address without its password, for printing. */
export function printable(url) {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}

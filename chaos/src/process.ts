import 'reflect-metadata';
import { type INestApplicationContext, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BROKERS } from '@tidings/brokers';
import { asError, type Transport } from '@tidings/core';
import { pg } from '@tidings/database';
import { MessagingModule, type Role as MessagingRole, nestLogger, Outbox } from '@tidings/messaging';
import { postgres } from '@tidings/postgres';
import { Pool } from 'pg';
import { AuditHandler, deliveryHistory, LedgerHandler, RANDOM } from './consumers';
import { HistoryFile } from './history';
import { seededRandom, seedFor } from './random';
import { APPLICATION_NAME } from './run-database';
import { LEASE_MS, type ProcessOrders, RETRY_MS, type Role } from './scene';
import { CONNECTIONS, Sender } from './sender';

@Module({})
class ProcessModule {}

const CONNECT_MS = 3_000;
const HANDLERS = { ledger: [LedgerHandler], audit: [AuditHandler], relay: [], sender: [] };
const ROLES: Record<Role, MessagingRole> = { ledger: 'handle', audit: 'handle', relay: 'relay', sender: 'publish' };
/** Every segment is emptied several times in a short run: TRUNCATE is in the play. */
const ROTATION = { everyMs: 700, afterMs: 1_500, archiveMs: 1_000 };

/** One process of a run: an application with one role, as a user would write it. Says `ready`, and leaves at `retire`. */
async function run(orders: ProcessOrders): Promise<() => Promise<void>> {
  const { name, role, incarnation } = orders;
  const history = new HistoryFile(orders.folder, `${name}.${incarnation}`);
  const random = seededRandom(seedFor(orders.seed, name, incarnation));
  const pool = new Pool({
    connectionString: orders.postgresUrl,
    max: role === 'sender' ? CONNECTIONS : 5,
    application_name: `${APPLICATION_NAME} ${name}`,
    connectionTimeoutMillis: CONNECT_MS,
  });
  const logger = nestLogger(new Logger(name));
  pool.on('error', (error) => logger.warn({ err: error }, "a connection of the user's pool was lost"));
  const store = pg(pool, { connections: 3, logger });
  const polling = { leaseMs: LEASE_MS, pollMs: 1_000, maxBackoffMs: 1_000, rotation: ROTATION };
  const { brokerUrl: url, prefix } = orders;
  const transport: Transport =
    orders.transport === 'postgres'
      ? postgres({ store, logger, ...polling })
      : await BROKERS[orders.transport].open({ url, prefix, logger, impatient: true, proxied: true });
  const messaging = MessagingModule.forRoot({
    source: 'chaos',
    stores: { default: store },
    transports: { main: transport },
    roles: [ROLES[role]],
    relay: polling,
    parking: { leaseMs: LEASE_MS }, // the default outlasts the wait for the last message to settle
    inbox: { againAfterMs: RETRY_MS[0] }, // a wait of RETRY_MS: its queue is deleted with theirs
    middleware: [deliveryHistory(history, random)],
    logger,
  });
  const app: INestApplicationContext = await NestFactory.createApplicationContext(
    {
      module: ProcessModule,
      imports: [messaging],
      providers: [{ provide: RANDOM, useValue: random }, ...HANDLERS[role]],
    },
    { abortOnError: false, logger: ['log', 'warn', 'error'] },
  );
  app.enableShutdownHooks();
  const sender = new Sender({
    name: `${name}.${incarnation}`,
    pool,
    outbox: app.get(Outbox, { strict: false }),
    history,
    random,
  });
  if (role === 'sender') sender.start();
  return async () => {
    await sender.stop();
    await app.close();
    await pool.end();
    history.close();
  };
}

process.once('message', (orders: ProcessOrders) => {
  run(orders)
    .then((stop) => {
      process.once('message', () => void stop().finally(() => process.exit()));
      process.send?.('ready');
    })
    .catch((thrown: unknown) => {
      process.stderr.write(`${asError(thrown).stack}\n`);
      process.exit(1); // started again by the supervisor: the server may have been away
    });
});
// A supervisor that was killed leaves no orphans, save one that is stopped just then.
process.once('disconnect', () => process.exit());

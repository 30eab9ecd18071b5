import { migrateDemo } from '@tidings-demo/migrations';
import { AppFleet } from './apps/app-fleet';
import { openDatabaseServer } from './database-server';
import type { DemoOptions } from './demo.options';
import type { DemoPrinter } from './demo-printer';
import { DemoServer } from './page/demo-server';
import type { StartedParts } from './started-parts';

/** Low enough that a rush of some hundred gifts meets it, so that the page can show a refusal. */
const BACKLOG_LIMIT = 150;
/** How long a killed app keeps its lanes: short, for somebody is watching. */
const LEASE_MS = 2_000;

/** Starts the database, the apps and the page. Resolves when the page's address is printed. */
export async function showDemo(options: DemoOptions, parts: StartedParts, printer: DemoPrinter): Promise<void> {
  const database = await openDatabaseServer(options.databaseUrl, options.dataDir);
  await parts.add({ name: `PostgreSQL (${database.kind})`, stop: () => database.stop() });
  await migrateDemo(database.url);

  const fleet = await AppFleet.of({
    databaseUrl: database.url,
    transport: options.transport,
    brokerUrl: options.brokerUrl,
    rooms: options.rooms,
    prefix: 'tidings_demo',
    relay: options.relay,
    callback: options.callback,
    backlogLimit: BACKLOG_LIMIT,
    leaseMs: LEASE_MS,
    print: (app, line) => printer.appLine(app, line),
  });
  await parts.add({ name: 'the apps', stop: () => fleet.stop(), kill: () => fleet.kill() });
  await fleet.start();

  const server = new DemoServer({
    port: options.port,
    host: options.host,
    addressOf: (name) => fleet.urlOf(name),
    killApp: (name) => fleet.crash(name),
  });
  await parts.add({ name: 'the page', stop: () => server.stop() });
  const address = await server.start();
  printer.line(`\n  Tidings demo   ${address}   messages by ${options.transport}, data in ${database.kind} PostgreSQL`);
  printer.line('  Ctrl-C stops it\n');
}

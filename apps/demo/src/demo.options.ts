import { InvalidArgumentError, Command, Option } from 'commander';
import {
  BROKER_NAMES,
  type BrokerName,
  BROKERS,
  isBroker,
  type TransportName,
  TRANSPORT_NAMES,
} from '@tidings/brokers';

export type Sabotage = 'no-inbox' | 'ack-first' | 'no-order';

export interface DemoOptions {
  readonly transport: TransportName;
  /** Undefined: 3000, or the next free one. */
  readonly port: number | undefined;
  readonly host: string;
  /** Gifts to check; undefined: show the page instead. */
  readonly check: number | undefined;
  /** NDJSON file of gifts to check instead of generated ones. */
  readonly gifts: string | undefined;
  /** Share of gifts that make badges fail for good; undefined: none. */
  readonly poison: number | undefined;
  /** True: gifts are rechecked and confirmed. */
  readonly callback: boolean;
  /** Share of gifts that are confirmed to their sender and then lost; undefined: none. */
  readonly drop: number | undefined;
  readonly sabotage: Sabotage | undefined;
  /** False: nothing carries the log to the broker. */
  readonly relay: boolean;
  readonly seed: number;
  readonly dataDir: string;
  /** Undefined: an embedded server. */
  readonly databaseUrl: string | undefined;
  /** The broker's; empty on PostgreSQL. */
  readonly brokerUrl: string;
  /** What is shown on screens goes by this one; undefined: by the same as all else. */
  readonly rooms: { readonly kind: BrokerName; readonly url: string } | undefined;
}

interface Flags {
  readonly transport: TransportName;
  readonly rooms?: BrokerName;
  readonly port?: number;
  readonly host: string;
  readonly check?: number | true;
  readonly gifts?: string;
  readonly poison?: number;
  readonly callback?: boolean;
  readonly drop?: number;
  readonly sabotage?: Sabotage;
  readonly relay: boolean;
  readonly seed: number;
  readonly data: string;
}

const number =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`expected a whole number from ${from} to ${to}.`);
  };

const share =
  (upTo: number) =>
  (text: string): number => {
    const value = Number(text);
    if (value > 0 && value <= upTo) return value;
    throw new InvalidArgumentError(`expected a share above 0, up to ${upTo}.`);
  };

/** What `--check` without a number checks. */
const CHECK_DEFAULT = 2_000;

/** Reads the command line and the environment; prints the usage and leaves when they make no sense. */
export function demoOptions(argv: readonly string[], env: NodeJS.ProcessEnv): DemoOptions {
  const command = new Command('npm run demo --')
    .description(
      'The gift pipeline: five apps, one page. Or, with --check, the proof that nothing is lost, doubled or swapped.',
    )
    .addOption(
      new Option('--transport <name>', 'what carries the messages').choices(TRANSPORT_NAMES).default('postgres'),
    )
    .addOption(
      new Option('--rooms <name>', 'what tells the screens, at most once (default: the same)').choices(BROKER_NAMES),
    )
    .option('--host <address>', 'where the page listens; 0.0.0.0 shows it to the network', '127.0.0.1')
    .option('--port <n>', 'of the page (default: 3000, or the next free one)', number(0, 65_535))
    .option(
      '--check [n]',
      `send n gifts (default: ${CHECK_DEFAULT}), kill ranking on the way, compare all sums`,
      number(1, 1_000_000),
    )
    .option(
      '--gifts <file>',
      'check the gifts of an NDJSON file: {"roomId","viewerId","gift","quantity","idempotencyKey"} a line',
    )
    .option(
      '--poison <share>',
      'with --check: so many of the gifts, as 0.02, make badges fail until their dead letters are redriven, and 5 % fail once',
      share(0.1),
    )
    .option(
      '--callback',
      'gifts are rechecked and confirmed, without an outbox at gift-api; a sixth app looks after them',
    )
    .option(
      '--drop <share>',
      'with --check --callback: so many of the gifts, as 0.05, are lost after the broker confirmed them, and must be sent again',
      share(0.5),
    )
    .addOption(
      new Option('--sabotage <what>', 'leave a safeguard out; the check must notice').choices([
        'no-inbox',
        'ack-first',
        'no-order',
      ]),
    )
    .option('--no-relay', 'start the apps without a relay: on a broker, nothing arrives')
    .option('--seed <n>', 'of the generated gifts', number(0, 2 ** 31), 1)
    .option('--data <dir>', "the embedded database's and the check's files", '.tidings')
    .addHelpText(
      'after',
      '\nEnvironment:\n  DATABASE_URL   a PostgreSQL server to use instead of the embedded one\n' +
        BROKER_NAMES.map((name) => `  ${BROKERS[name].variable.padEnd(13)}  default ${BROKERS[name].local}`).join('\n'),
    )
    .showHelpAfterError('(--help shows the options)');
  const flags = command.parse([...argv], { from: 'user' }).opts<Flags>();
  const checking = flags.check !== undefined || flags.gifts !== undefined;
  if (flags.sabotage && !checking) command.error('error: --sabotage needs --check');
  if (flags.poison !== undefined && (!checking || flags.gifts !== undefined))
    command.error('error: --poison needs --check, with generated gifts');
  if (flags.drop !== undefined && !(checking && flags.callback))
    command.error('error: --drop needs --check and --callback: without them nothing finds what was lost');
  if (flags.poison !== undefined && flags.callback)
    command.error('error: --poison goes without --callback: a parked gift is not confirmed until it is redriven');
  const { transport, rooms } = flags;
  const urlOf = (name: BrokerName): string => env[BROKERS[name].variable] || BROKERS[name].local;
  return {
    transport,
    port: flags.port,
    host: flags.host,
    check: !checking ? undefined : typeof flags.check === 'number' ? flags.check : CHECK_DEFAULT,
    gifts: flags.gifts,
    poison: flags.poison,
    callback: flags.callback ?? false,
    drop: flags.drop,
    sabotage: flags.sabotage,
    relay: flags.relay,
    seed: flags.seed,
    dataDir: flags.data,
    databaseUrl: env['DATABASE_URL'] || undefined,
    brokerUrl: isBroker(transport) ? urlOf(transport) : '',
    rooms: rooms && { kind: rooms, url: urlOf(rooms) },
  };
}

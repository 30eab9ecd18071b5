import { TidingsError } from '@tidings/core';
import { installedProgram } from './installed-program';
import { kafkaJars } from './kafka-jars';
import { PrivateKafka } from './private-kafka';
import { PrivateMosquitto } from './private-mosquitto';
import { PrivatePostgres } from './private-postgres';
import { PrivateRabbitMq } from './private-rabbitmq';
import { PrivateRedis } from './private-redis';
import { PrivateRedisCluster } from './private-redis-cluster';
import { PrivateRedisSentinel } from './private-redis-sentinel';
import { PrivateRocketMq } from './private-rocketmq';
import { rocketMqJars } from './rocketmq-jars';

export interface PrivateServers {
  readonly postgres: PrivatePostgres;
  readonly rabbitmq: PrivateRabbitMq;
  readonly redis: PrivateRedis;
  readonly 'redis-cluster': PrivateRedisCluster;
  readonly 'redis-sentinel': PrivateRedisSentinel;
  readonly kafka: PrivateKafka;
  readonly rocketmq: PrivateRocketMq;
  readonly mqtt: PrivateMosquitto;
}

/** What must be installed for each. */
const PROGRAMS = {
  postgres: ['postgres', 'initdb'],
  rabbitmq: ['rabbitmq-server', 'rabbitmqctl', 'epmd'],
  redis: ['redis-server'],
  'redis-cluster': ['redis-server'],
  'redis-sentinel': ['redis-server'],
  kafka: ['java'],
  rocketmq: ['java'],
  mqtt: ['mosquitto'],
} as const;

/** True when this kind of server can be started for a spec, where its programs are installed. */
export const isPrivate = (name: string): name is keyof PrivateServers => Object.hasOwn(PROGRAMS, name);

/** Programs of this server that this machine does not have; none: `startPrivate` can start one. */
export const missingPrograms = (name: keyof PrivateServers): readonly string[] =>
  process.platform === 'win32' ? ['a POSIX shell'] : [...PROGRAMS[name].filter((program) => !installedProgram(program)), ...missingJars(name)]; // prettier-ignore

function missingJars(name: keyof PrivateServers): readonly string[] {
  if (name === 'kafka' && !kafkaJars()) return ["Kafka's jars (KAFKA_HOME)"];
  if (name === 'rocketmq' && !rocketMqJars()) return ["RocketMQ's jars (ROCKETMQ_HOME)"];
  return [];
}

const paths = <Name extends string>(names: readonly Name[]): Record<Name, string> =>
  Object.fromEntries(names.map((name) => [name, installedProgram(name) ?? name])) as Record<Name, string>;

const START: { readonly [Name in keyof PrivateServers]: () => Promise<PrivateServers[Name]> } = {
  postgres: () => PrivatePostgres.of(paths(PROGRAMS.postgres)),
  rabbitmq: () => PrivateRabbitMq.of(paths(PROGRAMS.rabbitmq)),
  redis: () => PrivateRedis.of(paths(PROGRAMS.redis)),
  'redis-cluster': () => PrivateRedisCluster.of(paths(PROGRAMS.redis)),
  'redis-sentinel': () => PrivateRedisSentinel.of(paths(PROGRAMS.redis)),
  kafka: () => PrivateKafka.of(paths(PROGRAMS.kafka)),
  rocketmq: () => PrivateRocketMq.of(paths(PROGRAMS.rocketmq)),
  mqtt: () => PrivateMosquitto.of(paths(PROGRAMS.mqtt)),
};

/** @throws TidingsError that names the programs that are not installed. */
export async function startPrivate<Name extends keyof PrivateServers>(name: Name): Promise<PrivateServers[Name]> {
  const missing = missingPrograms(name);
  if (missing.length === 0) return START[name]();
  throw new TidingsError(
    'TIDINGS_TEST_SERVER',
    `expected the programs of ${name} on this machine, found no ${missing.join(', ')}; install them`,
  );
}

import type { CapabilityName } from '@tidings/core';
import type { SystemName } from './systems';

/** What no program here measures. A few words each: they are cells of one table. */
export interface KeptByHand {
  readonly availability: string;
  /** What must run, and on how many machines to outlive one. */
  readonly deployment: string;
  /** What an application and its authors must know or declare. */
  readonly use: string;
  /** What somebody must watch and do while it runs. */
  readonly upkeep: string;
  /** Of the server; drivers are under MIT or Apache 2.0. */
  readonly licence: string;
  readonly take: string;
}

export const KEPT_BY_HAND: Readonly<Record<SystemName, KeptByHand>> = {
  memory: {
    availability: 'ends with its process',
    deployment: 'nothing',
    use: 'nothing to know',
    upkeep: 'nothing',
    licence: 'MIT (ours)',
    take: 'tests, and examples of one process',
  },
  postgres: {
    availability: 'the database’s: a standby and whatever promotes it',
    deployment: 'the database that is there already; no relay',
    use: 'migrations of Tidings’ tables; no topology',
    upkeep: 'the database’s; the log empties itself',
    licence: 'PostgreSQL',
    take: 'a database and nothing else, up to some thousands of messages a second',
  },
  rabbitmq: {
    availability: 'classic queues: their node’s; quorum queues: a majority of three',
    deployment: 'one node, or three for quorum queues',
    use: 'topology is declared for you; exchanges, bindings, priorities and TTL when wanted',
    upkeep: 'memory and disk alarms, lengths of queues, bindings that nobody removes',
    licence: 'MPL 2.0',
    take: 'work queues, routing by header or pattern, priorities, replies',
  },
  redis: {
    availability: 'Sentinel or Cluster; a failover loses what was not replicated',
    deployment: 'one node, often there already; one more for a replica',
    use: 'streams, lists or Pub/Sub by three transports; a topic fits into memory, on one node',
    upkeep: 'appendonly and appendfsync always, memory with noeviction, stale groups',
    licence: '7.4: RSALv2 or SSPLv1; from 8 on also AGPLv3; before: BSD',
    take: 'short queues beside a Redis that is there, and broadcasts of little weight',
  },
  kafka: {
    availability: 'replicated partitions: min.insync.replicas of three',
    deployment: 'one JVM, or three brokers with their controllers',
    use: 'partitions are chosen ahead and bound the consumers; no delay, no single nack',
    upkeep: 'disks and retention, skewed partitions, lag, rebalances',
    licence: 'Apache 2.0',
    take: 'logs: much data, many readers, and reading all of it again',
  },
  rocketmq: {
    availability: 'a master and its slaves, or a controller’s majority; by default flushed after the answer',
    deployment: 'name server, broker and proxy: two or three JVMs on one machine',
    use: 'topics have a type, groups a retry policy; both are made for you',
    upkeep: 'disks, %DLQ% topics, groups of dead broadcasts, transactionCheckMax',
    licence: 'Apache 2.0',
    take: 'delays, counted attempts and half messages at the broker itself',
  },
  mqtt: {
    availability: 'Mosquitto: one node, whose crash takes what it had not written; clusters: other brokers',
    deployment: 'one small process',
    use: 'quality of service, seats of a group, retained messages, last will',
    upkeep: 'max_queued_messages, persistence, sessions of groups that nobody uses',
    licence: 'an OASIS standard; Mosquitto: EPL 2.0 or EDL 1.0',
    take: 'devices, presence, and telling many screens',
  },
};

/** “If you need X, take Y”. `having`: only systems with these capabilities can be named, and a test holds it. */
export interface Need {
  readonly need: string;
  readonly having?: readonly CapabilityName[];
  readonly take: readonly SystemName[];
  readonly because: string;
}

export const GUIDE: readonly Need[] = [
  {
    need: 'nothing new to run',
    having: ['durable', 'ordered', 'processes'],
    take: ['postgres'],
    because: 'the outbox’s own log is the queue: no relay, no copy, one backup',
  },
  {
    need: 'to see it work, or to test without servers',
    take: ['memory'],
    because: 'it has every power but a second process and a second life',
  },
  {
    need: 'work spread over many consumers, routing, priorities, expiry',
    having: ['durable', 'deadLetters', 'unroutable'],
    take: ['rabbitmq'],
    because: 'the broker itself routes, and says what it could not route',
  },
  {
    need: 'to read the past again, by groups that come later',
    having: ['durable', 'replay'],
    take: ['kafka', 'rocketmq', 'postgres'],
    because: 'they keep messages for a time and not until they are read',
  },
  {
    need: 'much data, read by many',
    having: ['durable', 'replay', 'ordered'],
    take: ['kafka'],
    because: 'a group more costs the broker an offset, not a copy',
  },
  {
    need: 'delays without an outbox',
    having: ['delay'],
    take: ['rocketmq', 'rabbitmq', 'redis', 'postgres'],
    because: 'the broker keeps the message until it is due; with an outbox any transport will do',
  },
  {
    need: 'attempts that count also when a process dies in one',
    having: ['attempts', 'processes'],
    take: ['rocketmq', 'redis'],
    because: 'the broker counts deliveries; elsewhere poison is told by the inbox’s store',
  },
  {
    need: 'a transaction without an outbox table',
    having: ['durable'],
    take: ['rocketmq'],
    because: 'half messages and check-back; the outbox is the stronger scheme all the same',
  },
  {
    need: 'devices on bad networks, presence, a last known state',
    having: ['broadcast'],
    take: ['mqtt'],
    because: 'sessions, last wills and retained messages are the protocol’s own',
  },
  {
    need: 'to tell all processes at once, and to forget it',
    having: ['broadcast', 'processes'],
    take: ['redis', 'mqtt', 'rabbitmq'],
    because: 'a broadcast keeps nothing for whoever is away',
  },
];

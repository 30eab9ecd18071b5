export * from './rocketmq.errors';
export { ROCKETMQ_DELAY_LEVELS_MS } from './delay-levels';
export { rocketmq, RocketMqTransport } from './rocketmq.transport';
export type { RocketMqCredentials, RocketMqGroup, RocketMqOptions } from './rocketmq.options';

export * from './rabbitmq.errors';
export { rabbitmq, RabbitMqTransport } from './rabbitmq.transport';
export type { RabbitMqOptions } from './rabbitmq.options';
export type {
  RabbitMqBinding,
  RabbitMqExchange,
  RabbitMqGroup,
  RabbitMqMatch,
  RabbitMqQueue,
  RabbitMqTopic,
  RabbitMqTopology,
} from './topology.options';

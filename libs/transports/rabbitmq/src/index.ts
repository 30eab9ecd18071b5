export * from './rabbitmq.errors';
export { rabbitmq, RabbitMqTransport } from './rabbitmq.transport';
export type { RabbitMqOptions } from './rabbitmq.options';

export * from './kafka.errors';
export { kafka, KafkaTransport, type RewindTo } from './kafka.transport';
export type { KafkaAddresses, KafkaOptions, KafkaSasl, KafkaTopic } from './kafka.options';

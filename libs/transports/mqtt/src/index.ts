export * from './mqtt.errors';
export { mqtt, MqttTransport } from './mqtt.transport';
export type { MqttOptions } from './mqtt.options';

export * from './mqtt.errors';
export { mqtt, MqttTransport } from './mqtt.transport';
export type { MqttOptions, MqttTls } from './mqtt.options';

export * from './mqtt.errors';
export { mqtt, MqttTransport } from './mqtt.transport';
export type { PresenceEvent } from './presence-events';
export type { MqttOptions } from './mqtt.options';

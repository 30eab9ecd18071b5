export { POSTGRES_CAPABILITIES } from './postgres.capabilities';
export type { PostgresTransportOptions } from './postgres.options';
export { postgres, PostgresTransport } from './postgres.transport';

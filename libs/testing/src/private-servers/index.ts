export * from './describe-private';
export * from './private-kafka';
export * from './private-mosquitto';
export * from './private-postgres';
export * from './private-rabbitmq';
export * from './private-redis';
export * from './private-server';
export * from './start-private';

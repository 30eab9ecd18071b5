export { EmbeddedPostgresError } from './embedded-postgres-error';
export { embeddedPostgresVersion } from './platform-binaries';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './start-embedded-postgres';

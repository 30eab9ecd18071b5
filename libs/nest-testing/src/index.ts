export type { Duration } from './duration';
export type { FaultOptions, FaultPlace } from './faults';
export { tidingsMatchers } from './matchers';
export type { MemoryDataSource } from './memory-data-source';
export { NotSettledError } from './not-settled.error';
export type { Attempt, Publication } from './recorder';
export type { TidingsTestingOptions } from './testing.options';
export { type Buried, TidingsHarness, type WithPayload } from './tidings-harness';
export { type TidingsTesting, TidingsTestingModule } from './tidings-testing.module';

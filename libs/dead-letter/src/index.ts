export { RedriveError } from './dead-letter.errors';
export { deadLetterMiddleware, type DeadLetterMiddlewareOptions } from './dead-letter.middleware';
export type { DeadLetters, FailureStory, ListOptions, RedriveResult, SealGeneration } from './dead-letters';
export type { LetterIdentity } from './letter-key';
export { deadLetterMigrations } from './migrations';
export { PostgresDeadLetters, type PostgresDeadLettersOptions } from './postgres-dead-letters';
export type { LetterStatus, LetterSummary, StoredLetter } from './stored-letter';

import {
  accept,
  type DeadLetter,
  type DeadLetterSink,
  type Middleware,
  type Migration,
  type Store,
} from '@tidings/core';
export class PostgresDeadLetters implements DeadLetterSink {
  readonly buried: DeadLetter[] = [];
  constructor(readonly store: Store) {}
  async bury(letter: DeadLetter): Promise<void> {
    this.buried.push(letter);
  }
}
export const deadLetterMigrations: readonly Migration[] = [];
export const deadLetterMiddleware =
  ({ sinkOf }: { sinkOf: (name: string) => DeadLetterSink; instance: string }): Middleware =>
  async (context, next) => {
    const settlement = await next();
    if (settlement.kind !== 'reject') return settlement;
    const { handler, message } = context;
    await sinkOf(handler.store).bury({
      message,
      direction: 'inbound',
      place: handler.subscription.group,
      transport: handler.transport,
      handler: handler.name,
      reason: settlement.reason,
      attempts: context.attempt,
      failures: [],
    });
    return accept;
  };

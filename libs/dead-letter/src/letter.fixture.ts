import { confirmed, type DeadLetter, type OutgoingMessage, type Publisher, type PublishResult } from '@tidings/core';
import { testMessage } from '@tidings/testing';

/** A letter as a consumer buries it, with whatever a spec needs to be different. */
export const letterOf = (overrides: Partial<DeadLetter> = {}): DeadLetter => ({
  message: testMessage(),
  direction: 'inbound',
  place: 'ranking',
  transport: 'main',
  handler: 'RankGiftHandler.rank',
  reason: 'failed 5 times, the last with: no luck',
  attempts: 5,
  failures: [failureOf('no luck')],
  ...overrides,
});

export const failureOf = (message: string, name = 'Error'): DeadLetter['failures'][number] => ({
  attempt: 5,
  at: '2026-11-21T10:00:00.000Z',
  instance: 'pod-1',
  errors: [{ name, message, stack: `${name}: ${message}\n  at there` }],
});

/** A publisher under every name, that keeps what it was given and answers `confirmed`, or what it is told to. */
export class RecordingPublisher implements Publisher {
  readonly sent: OutgoingMessage[] = [];
  answer: (outgoing: OutgoingMessage) => PublishResult | Promise<PublishResult> = () => confirmed;
  readonly of = (): Publisher => this;

  async publish(messages: readonly OutgoingMessage[]): Promise<PublishResult[]> {
    const results: PublishResult[] = [];
    for (const outgoing of messages) {
      this.sent.push(outgoing);
      results.push(await this.answer(outgoing));
    }
    return results;
  }
}

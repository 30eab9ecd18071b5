import { Injectable } from '@nestjs/common';
import { type DeadLetter, defineMessage, type MessageContext, NonRetriableError, type Settlement } from '@tidings/core';
import { until } from '@tidings/testing';
import { z } from 'zod';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, eager } from '../test-application.fixture';

const schema = z.object({ room: z.string() });
const Opened = defineMessage('room.opened', { schema, topic: 'room' });
const Closed = defineMessage('room.closed', { schema, topic: 'room' });
const Renamed = defineMessage('room.renamed', { schema, topic: 'room' });

@Injectable()
class RoomWatcher {
  readonly lines: string[] = [];

  @OnMessage(Opened, { group: 'watch', level: 'atLeastOnce', retry: eager(3) })
  opened(_payload: object, context: MessageContext): void {
    this.lines.push(`opened ${context.attempt}`);
    if (context.attempt < 3) throw new Error('not yet');
  }

  @OnMessage(Closed, { group: 'watch', level: 'atMostOnce' })
  closed(): void {
    this.lines.push('closed');
    throw new NonRetriableError('never');
  }
}

describe('A subscription with several contracts', () => {
  afterEach(closeAll);

  async function watch(deadLetters: DeadLetter[] = []) {
    const settled: Settlement[] = [];
    const app = await boot(
      {
        middleware: [
          async (_context, next) => {
            const settlement = await next();
            settled.push(settlement);
            return settlement;
          },
        ],
      },
      { providers: [RoomWatcher] },
    );
    return { publisher: app.get(MessagePublisher), watcher: app.get(RoomWatcher), settled, deadLetters };
  }

  it('hands each message to the handler of its type, with its own policy', async () => {
    const { publisher, watcher, settled } = await watch();
    await publisher.publish(Opened, { room: 'r1' });
    await until('it is handled', () => settled.length === 3);
    expect(watcher.lines).toEqual(['opened 1', 'opened 2', 'opened 3']);
    expect(settled.map(({ kind }) => kind)).toEqual(['retry', 'retry', 'accept']);
    await publisher.publish(Closed, { room: 'r1' });
    await until('the other one too', () => settled.length === 4);
    expect(watcher.lines.at(-1)).toBe('closed');
    expect(settled[3]).toMatchObject({ kind: 'reject', reason: 'not retriable: never' });
  });

  it('rejects a type that it has no handler for', async () => {
    const { publisher, settled } = await watch();
    await publisher.publish(Renamed, { room: 'r1' });
    await until('it is settled', () => settled.length === 1);
    expect(settled).toEqual([
      { kind: 'reject', reason: 'unknown type room.renamed: group watch on room handles room.opened, room.closed' },
    ]);
  });
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, eager, GiftSent, rose } from '../test-application.fixture';

const user = new AsyncLocalStorage<string>();
const seen: unknown[] = [];

@Injectable()
class SeesUser {
  @OnMessage(GiftSent, { group: 'g', level: 'atLeastOnce', retry: eager(1) })
  see(): void {
    seen.push(user.getStore());
  }
}

describe('A handler’s asynchronous context', () => {
  afterEach(closeAll);

  it('has nothing of a publisher in the same process, and what the application’s middleware put there', async () => {
    const app = await boot(
      { middleware: [(_context, next) => (seen.push(user.getStore()), user.run('system', next))] },
      { providers: [SeesUser] },
    );
    await user.run('ada', () => app.get(MessagePublisher).publish(GiftSent, rose));
    await until('handled', () => seen.length === 2);
    expect(seen).toEqual([undefined, 'system']);
  });
});

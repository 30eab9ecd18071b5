import {
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  ParseIntPipe,
  type PipeTransform,
  Post,
} from '@nestjs/common';
import { type MessageContext } from '@tidings/core';
import { until } from '@tidings/testing';
import { messageContextOf } from '../tidings-context';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, type Gift, GiftSent, rose } from '../test-application.fixture';
import { Ctx, Headers, Payload } from './message-params.decorator';
import { OnMessage } from './on-message.decorator';

const group = { group: 'g', level: 'atLeastOnce' } as const;
const Key = createParamDecorator((_data: unknown, host: ExecutionContext) => messageContextOf(host).message.key);

class Text implements PipeTransform {
  transform(value: unknown): string {
    return `<${String(value)}>`;
  }
}

@Injectable()
class Handlers {
  readonly seen: Record<string, unknown[]> = {};

  @OnMessage(GiftSent, { ...group, group: 'positional' })
  positional(gift: Gift, context: MessageContext): void {
    this.seen['positional'] = [gift, context.message.type];
  }

  @OnMessage(GiftSent, { ...group, group: 'decorated' })
  decorated(
    @Ctx() context: MessageContext,
    @Headers('tenant') tenant: string,
    @Payload('coins', ParseIntPipe) coins: number,
    @Payload('room', Text) room: string,
    @Headers() headers: object,
    @Key() key: string,
  ): void {
    this.seen['decorated'] = [context.attempt, tenant, coins, room, headers, key];
  }

  @Post()
  @OnMessage(GiftSent, { ...group, group: 'custom' })
  custom(@Key() key: string): void {
    this.seen['custom'] = [key];
  }
}

/** Of another file, in earnest: classes of one name must not share their parameters. */
const namesake = (() => {
  @Injectable()
  class Handlers {
    readonly seen: unknown[] = [];
    @OnMessage(GiftSent, { ...group, group: 'namesake' })
    decorated(@Payload('room') room: string): void {
      this.seen.push(room);
    }
  }
  return Handlers;
})();

describe("A message handler's parameters", () => {
  afterEach(closeAll);

  it('are the payload and the context, or what their decorators say', async () => {
    const app = await boot({}, { providers: [Handlers, namesake] });
    await app.get(MessagePublisher).publish(GiftSent, rose, { headers: { tenant: 't1' } });
    const { seen } = app.get(Handlers);
    await until('all handled it', () => Object.keys(seen).length === 3 && app.get(namesake).seen.length === 1);
    expect(seen).toEqual({
      positional: [rose, 'gift.sent'],
      decorated: [1, 't1', 7, '<r1>', { tenant: 't1' }, 'r1'],
      custom: ['r1'],
    });
    expect(app.get(namesake).seen).toEqual(['r1']);
  });
});

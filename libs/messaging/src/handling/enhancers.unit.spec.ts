import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import { accept, type MessageContext, reject, type Settlement } from '@tidings/core';
import { until } from '@tidings/testing';
import { map, throwError } from 'rxjs';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, eager, type Gift, GiftSent, rose } from '../test-application.fixture';
import { isTidingsContext, messageContextOf } from '../tidings-context';

const group = { group: 'g', level: 'atLeastOnce', retry: eager(2) } as const;

/** What happened, in order, and how each delivery was settled. */
@Injectable()
class Journal {
  readonly lines: string[] = [];
  readonly settled: Settlement[] = [];
}

@Injectable()
class Locked implements CanActivate {
  constructor(private readonly journal: Journal) {}
  canActivate(): boolean {
    this.journal.lines.push('guard');
    return false;
  }
}

@Injectable()
class Traced implements NestInterceptor {
  constructor(private readonly journal: Journal) {}
  intercept(context: ExecutionContext, next: CallHandler) {
    const tidings = isTidingsContext(context) && messageContextOf(context).message.type;
    this.journal.lines.push(`before ${context.getClass().name}.${context.getHandler().name} ${tidings}`);
    return next.handle().pipe(map((answer: unknown) => (this.journal.lines.push(`after ${String(answer)}`), answer)));
  }
}

@Injectable()
class Doubled implements PipeTransform {
  transform(value: Gift | MessageContext): unknown {
    return 'coins' in value ? { ...value, coins: value.coins * 2 } : value;
  }
}

class Sold extends Error {}

@Catch(Sold)
class SoldFilter implements ExceptionFilter {
  constructor(@Inject('answer') private readonly answer: (thrown: Sold) => unknown) {}
  catch(thrown: Sold, host: ArgumentsHost): unknown {
    if (!isTidingsContext(host)) throw new Error('expected the context type tidings');
    return this.answer(thrown);
  }
}

describe('A handler of messages', () => {
  afterEach(closeAll);

  /** Boots with the handlers, publishes one gift, and waits until it is settled for good. */
  async function handle(parts: Parameters<typeof boot>[1]): Promise<Journal> {
    const journal = new Journal();
    const app = await boot(
      {
        middleware: [
          async (_context, next) => {
            const settlement = await next();
            journal.settled.push(settlement);
            return settlement;
          },
        ],
      },
      { ...parts, providers: [{ provide: Journal, useValue: journal }, ...(parts?.providers ?? [])] },
    );
    await app.get(MessagePublisher).publish(GiftSent, rose);
    await until('it is settled', () => journal.settled.some(({ kind }) => kind === 'accept' || kind === 'reject'));
    return journal;
  }

  @Controller()
  @UseGuards(Locked)
  class GuardedController {
    constructor(readonly journal: Journal) {}
    @OnMessage(GiftSent, group)
    handle(): void {
      this.journal.lines.push('handled');
    }
  }

  @Injectable()
  class GuardedProvider extends GuardedController {}

  @Injectable()
  class Open {
    constructor(readonly journal: Journal) {}
    @OnMessage(GiftSent, group)
    handle(gift: Gift, context: MessageContext): string {
      this.journal.lines.push(`handled ${gift.coins} ${context.attempt}`);
      return 'done';
    }
  }

  it.each([
    ['of a provider', { providers: [GuardedProvider] }],
    ['of a controller', { controllers: [GuardedController] }],
    ['of the application', { providers: [Open, { provide: APP_GUARD, useClass: Locked }] }],
  ])("rejects as forbidden, without a retry, by a guard's false: %s", async (_of, parts) => {
    const { lines, settled } = await handle(parts);
    expect(lines).toEqual(['guard']);
    expect(settled).toMatchObject([{ kind: 'reject', reason: 'forbidden' }]);
  });

  @Injectable()
  @UseInterceptors(Traced)
  @UsePipes(Doubled)
  class Enhanced extends Open {}

  it.each([
    ['of the class', { providers: [Enhanced] }, 'Enhanced'],
    [
      'of the application',
      {
        providers: [Open, { provide: APP_INTERCEPTOR, useClass: Traced }, { provide: APP_PIPE, useClass: Doubled }],
      },
      'Open',
    ],
  ])('runs inside of interceptors and takes its payload from pipes: %s', async (_of, parts, name) => {
    const { lines, settled } = await handle(parts);
    expect(lines).toEqual([`before ${name}.handle gift.sent`, 'handled 14 1', 'after done']);
    expect(settled).toEqual([accept]);
  });

  @Injectable()
  @UseFilters(SoldFilter)
  class Seller {
    constructor(readonly journal: Journal) {}
    @OnMessage(GiftSent, group)
    sell(): void {
      this.journal.lines.push('sold');
      throw new Sold('sold out');
    }
  }

  it.each<[string, () => unknown, string[], object[]]>([
    ['a settlement: it counts', () => reject('no more'), ['sold'], [{ kind: 'reject', reason: 'no more' }]],
    ['a promise of one', () => Promise.resolve(accept), ['sold'], [{ kind: 'accept' }]],
    ['nothing: still a failure', () => undefined, ['sold', 'sold'], [{ kind: 'retry' }, { kind: 'reject' }]],
    ['a body: still a failure', () => ({ kind: 'rose' }), ['sold', 'sold'], [{ kind: 'retry' }, { kind: 'reject' }]],
    [
      'another error: that is the failure',
      () => {
        throw new Error('translated');
      },
      ['sold', 'sold'],
      [{ kind: 'retry' }, { kind: 'reject', reason: 'failed 2 times, the last with: translated' }],
    ],
    [
      'an observable error, as an RPC filter',
      () => throwError(() => new Error('observed')),
      ['sold', 'sold'],
      [{ kind: 'retry' }, { kind: 'reject', reason: 'failed 2 times, the last with: observed' }],
    ],
  ])('whose filter answers %s', async (_what, answer, lines, settled) => {
    const journal = await handle({ providers: [Seller, { provide: 'answer', useValue: answer }] });
    expect(journal.lines).toEqual(lines);
    expect(journal.settled).toMatchObject(settled);
  });

  it('is under the filters of the application', async () => {
    @Injectable()
    class Bare {
      @OnMessage(GiftSent, group)
      sell(): void {
        throw new Sold('sold out');
      }
    }
    const providers = [
      Bare,
      { provide: APP_FILTER, useClass: SoldFilter },
      { provide: 'answer', useValue: () => accept },
    ];
    expect((await handle({ providers })).settled).toEqual([accept]);
  });

  it('is made anew for each message when it is request-scoped, and its REQUEST is the context', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(
        @Inject(REQUEST) readonly context: MessageContext,
        readonly journal: Journal,
      ) {}
      @OnMessage(GiftSent, group)
      handle(_gift: Gift, context: MessageContext): void {
        this.journal.lines.push(`same context: ${this.context === context}, attempt ${this.context.attempt}`);
        if (context.attempt === 1) throw new Error('once more');
      }
    }
    @Controller({ scope: Scope.REQUEST })
    class ScopedController extends Scoped {}
    for (const parts of [{ providers: [Scoped] }, { controllers: [ScopedController] }]) {
      const { lines } = await handle(parts);
      expect(lines).toEqual(['same context: true, attempt 1', 'same context: true, attempt 2']);
    }
  });

  it('is made anew for each message when it is transient, and found once however often it is provided again', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Fresh {
      private handled = 0;
      constructor(readonly journal: Journal) {}
      @OnMessage(GiftSent, group)
      handle(_gift: Gift, { attempt }: MessageContext): void {
        this.journal.lines.push(`handled ${(this.handled += 1)}`);
        if (attempt === 1) throw new Error('once more');
      }
    }
    const providers = [Fresh, { provide: 'again', useExisting: Fresh }];
    expect((await handle({ providers })).lines).toEqual(['handled 1', 'handled 1']);
    const aliased = [Open, { provide: 'again', useExisting: Open }];
    expect((await handle({ providers: aliased })).lines).toEqual(['handled 7 1']);
  });

  it('is under request-scoped guards of the application too', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class ScopedGuard implements CanActivate {
      constructor(
        private readonly journal: Journal,
        @Inject(REQUEST) private readonly context: MessageContext,
      ) {}
      canActivate(): boolean {
        this.journal.lines.push(`guard ${this.context.message.type}`);
        return true;
      }
    }
    const { lines } = await handle({ providers: [Open, { provide: APP_GUARD, useClass: ScopedGuard }] });
    expect(lines).toEqual(['guard gift.sent', 'handled 7 1']);
  });

  it('whose entity has a property `kind` still succeeds by returning it', async () => {
    @Injectable()
    class Saver {
      @OnMessage(GiftSent, group)
      save(): object {
        return { kind: 'retry', id: 1 };
      }
    }
    expect((await handle({ providers: [Saver] })).settled).toEqual([accept]);
  });
});

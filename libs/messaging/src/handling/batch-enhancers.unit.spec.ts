import {
  type CallHandler,
  type CanActivate,
  Catch,
  type ArgumentsHost,
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
import { REQUEST } from '@nestjs/core';
import { reject } from '@tidings/core';
import { until } from '@tidings/testing';
import { map } from 'rxjs';
import { OnMessages } from '../decorators/on-messages.decorator';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, eager, type Gift, GiftSent } from '../test-application.fixture';
import { batchContextOf } from '../tidings-context';
import type { BatchContext, BatchItem } from './batch-context';

const options = { group: 'g', level: 'atLeastOnce', retry: eager(1), batch: { size: 4, waitMs: 30_000 } } as const;
const BAD = 13;
const coinsOf = (items: readonly BatchItem<Gift>[]): number[] => items.map(({ payload }) => payload.coins);

/** What happened, in order, and how each gift was settled. */
@Injectable()
class Journal {
  readonly lines: string[] = [];
  readonly settled = new Map<number, string>();
}

@Injectable()
class Asked implements CanActivate {
  constructor(private readonly journal: Journal) {}
  canActivate(context: ExecutionContext): boolean {
    const coins = coinsOf(context.getArgByIndex<BatchItem<Gift>[]>(0));
    this.journal.lines.push(`guard ${coins.join()} of ${batchContextOf(context)?.items.length}`);
    return !coins.includes(BAD);
  }
}

@Injectable()
class Traced implements NestInterceptor {
  constructor(private readonly journal: Journal) {}
  intercept(_context: ExecutionContext, next: CallHandler) {
    this.journal.lines.push('before');
    return next.handle().pipe(map((answer: unknown) => (this.journal.lines.push(`after ${String(answer)}`), answer)));
  }
}

@Injectable()
class Doubled implements PipeTransform {
  transform(value: object): object {
    if (!('coins' in value)) return value;
    if (value.coins === BAD) throw new Error('no such gift');
    return { ...value, coins: Number(value.coins) * 2 };
  }
}

class Sold extends Error {}

@Catch(Sold)
class SoldFilter implements ExceptionFilter {
  catch(_thrown: Sold, host: ArgumentsHost): unknown {
    return batchContextOf(host) && reject('sold');
  }
}

describe('A handler of batches', () => {
  afterEach(closeAll);

  async function handle(handler: new (...args: never[]) => object, coins: number[]): Promise<Journal> {
    const journal = new Journal();
    const app = await boot(
      {
        middleware: [
          async ({ message }, next) => {
            const settlement = await next();
            const { coins: n } = JSON.parse(Buffer.from(message.payload).toString()) as Gift;
            journal.settled.set(
              n,
              'reason' in settlement ? `${settlement.kind}: ${settlement.reason}` : settlement.kind,
            );
            return settlement;
          },
        ],
      },
      { providers: [{ provide: Journal, useValue: journal }, handler] },
    );
    const all = coins.map((n) => ({ contract: GiftSent, payload: { room: 'r1', coins: n } }));
    await app.get(MessagePublisher).publishAll(all);
    await until('all are settled', () => journal.settled.size === coins.length, { withinMs: 30_000 });
    return journal;
  }

  @Injectable()
  class Open {
    constructor(readonly journal: Journal) {}
    @OnMessages(GiftSent, options)
    handle(items: BatchItem<Gift>[], context: BatchContext): string {
      this.journal.lines.push(`handled ${coinsOf(items).join()} of ${context.items.length}`);
      return 'done';
    }
  }

  it('is under guard and interceptor once a batch, and under its pipe for each payload', async () => {
    @Injectable()
    @UseGuards(Asked)
    @UseInterceptors(Traced)
    @UsePipes(Doubled)
    class Enhanced extends Open {}
    const { lines, settled } = await handle(Enhanced, [1, 2, 3, 4]);
    expect(lines).toEqual(['guard 1,2,3,4 of 4', 'before', 'handled 2,4,6,8 of 4', 'after done']);
    expect([...settled.values()]).toEqual(['accept', 'accept', 'accept', 'accept']);
  });

  it('whose guard refuses a batch is asked for its halves, until only what it refuses is forbidden', async () => {
    @Injectable()
    @UseGuards(Asked)
    class Guarded extends Open {}
    const { lines, settled } = await handle(Guarded, [1, BAD, 3, 4]);
    expect(Object.fromEntries(settled)).toEqual({ 1: 'accept', [BAD]: 'reject: forbidden', 3: 'accept', 4: 'accept' });
    expect(lines.filter((line) => line.startsWith('handled'))).toEqual(['handled 1 of 1', 'handled 3,4 of 2']);
  });

  it('whose pipe refuses a payload runs again at once without that one', async () => {
    @Injectable()
    @UsePipes(Doubled)
    class Piped extends Open {}
    const { lines, settled } = await handle(Piped, [1, BAD, 3, 4]);
    expect(lines).toEqual(['handled 2,6,8 of 3']);
    expect(settled.get(BAD)).toMatch(/^reject: .*no such gift/);
    expect([1, 3, 4].map((n) => settled.get(n))).toEqual(['accept', 'accept', 'accept']);
  });

  it('whose filter answers with a settlement has it for those that fail', async () => {
    @Injectable()
    @UseFilters(SoldFilter)
    class Filtered {
      @OnMessages(GiftSent, options)
      handle(items: BatchItem<Gift>[]): void {
        if (coinsOf(items).includes(BAD)) throw new Sold();
      }
    }
    const { settled } = await handle(Filtered, [1, BAD, 3, 4]);
    expect(Object.fromEntries(settled)).toEqual({ 1: 'accept', [BAD]: 'reject: sold', 3: 'accept', 4: 'accept' });
  });

  it('is made anew for each run when it is request-scoped, and its REQUEST is the context of the batch', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      private handled = 0;
      constructor(
        @Inject(REQUEST) readonly request: BatchContext,
        readonly journal: Journal,
      ) {}
      @OnMessages(GiftSent, options)
      handle(items: BatchItem<Gift>[], context: BatchContext): void {
        this.journal.lines.push(`${coinsOf(items).join()}: ${this.request === context}, ${(this.handled += 1)}`);
        if (items.length === 4) throw new Error('once more');
      }
    }
    const { lines } = await handle(Scoped, [1, 2, 3, 4]);
    expect(lines).toEqual(['1,2,3,4: true, 1', '1,2: true, 1', '3,4: true, 1']);
  });
});

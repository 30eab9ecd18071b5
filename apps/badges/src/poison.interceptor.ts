import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { type Observable, throwError } from 'rxjs';
import { TidingsError } from '@tidings/core';
import type { GiftSent } from '@tidings/gift-contracts';
import { isTidingsContext, messageContextOf } from '@tidings/messaging';

/** Of the other gifts, those that fail once: one of twenty, by their ids. */
const FAILS_ONCE = 0.05;

const shareOf = (giftId: string): number => createHash('sha256').update(giftId).digest().readUInt32BE() / 2 ** 32;

/** The fault of a check with --poison: gifts of viewers called `poison …` fail for good, some others once. Off by default. */
export class PoisonInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!isTidingsContext(execution)) return next.handle();
    const [gift] = execution.getArgs<[GiftSent]>();
    const { attempt } = messageContextOf(execution);
    const poison = gift.viewerId.startsWith('poison ');
    if (!poison && (attempt > 1 || shareOf(gift.giftId) >= FAILS_ONCE)) return next.handle();
    return throwError(
      () => new TidingsError('DEMO_POISON', `gift ${gift.giftId} ${poison ? 'is poison' : 'fails once'}`),
    );
  }
}

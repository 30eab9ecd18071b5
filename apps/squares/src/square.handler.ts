import { Injectable } from '@nestjs/common';
import { InjectPublisher, MessagePublisher, OnMessage, type PayloadOf } from '@tidings/messaging';
import { GROUPS, NumberDrawn, NumberSquared } from './squares.contracts';

/** A copy of a number makes a copy of its square, with the same index: whoever sums up takes it once. */
@Injectable()
export class SquareHandler {
  constructor(@InjectPublisher() private readonly publisher: MessagePublisher) {}

  @OnMessage(NumberDrawn, { group: GROUPS.squarers, level: 'atLeastOnce', concurrency: 16 })
  async square({ index, number }: PayloadOf<typeof NumberDrawn>): Promise<void> {
    await this.publisher.publish(NumberSquared, { index, square: (BigInt(number) ** 2n).toString() });
  }
}

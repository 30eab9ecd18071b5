import { Inject, Injectable } from '@nestjs/common';
import { InjectPublisher, MessagePublisher, OnMessage, type PayloadOf } from '@tidings/messaging';
import { GROUPS, NumberSquared, SumFinished } from './squares.contracts';

export const COUNT = Symbol('count');

/** Has every square by its index, so that copies change nothing; and tells everybody when none is missing. */
@Injectable()
export class SumHandler {
  readonly #squares = new Map<number, bigint>();
  #told = false;

  constructor(
    @Inject(COUNT) private readonly count: number,
    @InjectPublisher() private readonly publisher: MessagePublisher,
  ) {}

  @OnMessage(NumberSquared, { group: GROUPS.summer, level: 'atLeastOnce', concurrency: 1 })
  async add({ index, square }: PayloadOf<typeof NumberSquared>): Promise<void> {
    this.#squares.set(index, BigInt(square));
    if (this.#told || this.#squares.size < this.count) return;
    const sum = [...this.#squares.values()].reduce((total, one) => total + one, 0n);
    await this.publisher.publish(SumFinished, { sum: sum.toString() });
    this.#told = true;
  }
}

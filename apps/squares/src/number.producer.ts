import { randomInt } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectPublisher, MessagePublisher } from '@tidings/messaging';
import { NumberDrawn } from './squares.contracts';

const BELOW = 1_000_000;
/** Published in one call. */
const BATCH = 100;

/** Draws the numbers, and knows by itself what their squares sum up to: no message is asked. */
@Injectable()
export class NumberProducer {
  constructor(@InjectPublisher() private readonly publisher: MessagePublisher) {}

  /** Resolves with the sum of the squares when the broker has confirmed every number. */
  async draw(count: number): Promise<string> {
    let sum = 0n;
    for (let from = 0; from < count; from += BATCH) {
      const size = Math.min(BATCH, count - from);
      const drawn = Array.from({ length: size }, (_, at) => ({ index: from + at, number: randomInt(BELOW) }));
      await this.publisher.publishAll(drawn.map((payload) => ({ contract: NumberDrawn, payload })));
      await turn(); // a broker in this process works in its turns
      for (const { number } of drawn) sum += BigInt(number) ** 2n;
    }
    return sum.toString();
  }
}

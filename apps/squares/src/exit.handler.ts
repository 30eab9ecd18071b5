import { Injectable } from '@nestjs/common';
import { OnMessage, type PayloadOf } from '@tidings/messaging';
import { GROUPS, SumFinished } from './squares.contracts';

/** In every process. */
@Injectable()
export class ExitHandler {
  #hear: (sum: string) => void = () => undefined;
  /** Resolves with the sum that the broadcast tells. */
  readonly heard = new Promise<string>((resolve) => {
    this.#hear = resolve;
  });

  @OnMessage(SumFinished, { group: GROUPS.everybody, broadcast: true })
  finish({ sum }: PayloadOf<typeof SumFinished>): void {
    this.#hear(sum);
  }
}

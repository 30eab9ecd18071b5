import { asError, type Clock, type MessageContract, type TidingsLogger } from '@tidings/core';
import { type Confirmation, Confirmed } from './callback.contracts';

export interface ConfirmerSetup {
  readonly publish: <Payload, Input>(contract: MessageContract<Payload, Input>, payload: Input) => Promise<unknown>;
  /** How long the first waits for others to go with. */
  readonly gatherMs: number;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

const MOST = 200;

/** Sends confirmations straight to the transport, many in one message. What cannot be sent is logged and forgotten: the recheck finds it missing. */
export class Confirmer {
  #waiting: Confirmation[] = [];
  #gathering: AbortController | undefined;
  readonly #underWay = new Set<Promise<void>>();

  constructor(private readonly setup: ConfirmerSetup) {}

  confirm(confirmation: Confirmation): void {
    this.#waiting.push(confirmation);
    if (this.#waiting.length >= MOST) return this.#send();
    if (this.#gathering) return;
    const gathering = (this.#gathering = new AbortController());
    void this.setup.clock.wait(this.setup.gatherMs, gathering.signal).then(() => {
      if (this.#gathering === gathering) this.#send();
    });
  }

  /** Sends what waits; resolves when all of it is out or given up. */
  async flush(): Promise<void> {
    this.#send();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #send(): void {
    this.#gathering?.abort();
    this.#gathering = undefined;
    const confirmations = this.#waiting;
    this.#waiting = [];
    if (confirmations.length === 0) return;
    const sending = this.setup.publish(Confirmed, { confirmations }).then(
      () => undefined,
      (thrown: unknown) => {
        const fields = { confirmations: confirmations.length, err: asError(thrown) };
        this.setup.logger.warn(
          fields,
          'confirmations could not be sent; the recheck will ask for their messages again',
        );
      },
    );
    this.#underWay.add(sending);
    void sending.finally(() => this.#underWay.delete(sending));
  }
}

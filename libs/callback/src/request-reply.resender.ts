import type { RequestContract } from '@tidings/core';
import { resendRequest } from './callback.contracts';
import type { ResendAnswer, Resender, ResendQuestion } from './resender';

/** Asks over whatever carries requests; `Requester` of @tidings/core is one. */
export type Ask = <Payload, Input, Reply>(
  contract: RequestContract<Payload, Input, Reply, never>,
  payload: Input,
  options: { readonly timeoutMs: number },
) => Promise<Reply>;

/** Asks the sender's service by request and reply: each service answers on a topic of its own. */
export class RequestReplyResender implements Resender {
  readonly #contracts = new Map<string, ReturnType<typeof resendRequest>>();

  constructor(
    private readonly ask: Ask,
    private readonly timeoutMs = 10_000,
  ) {}

  async resend(question: ResendQuestion): Promise<ResendAnswer> {
    let contract = this.#contracts.get(question.source);
    if (!contract) this.#contracts.set(question.source, (contract = resendRequest(question.source)));
    const { answer } = await this.ask(contract, question, { timeoutMs: this.timeoutMs });
    return answer;
  }
}

import { type Clock, systemClock } from '@tidings/core';
import type { GiftView } from '@tidings/gift-contracts';
import type { Answer } from './evidence';
import type { PlannedGift } from './gift-generator';
import type { Turn } from './request-plan';

/** A request that no repetition would help: the client's mistake, as a room that is not there. */
export interface Refusal {
  readonly idempotencyKey: string;
  readonly status: number;
  readonly body: string;
}

export interface SendReport {
  readonly answers: readonly Answer[];
  readonly refusals: readonly Refusal[];
  /** Requests made, repeated keys and 503s included: for the table's text only, no figure rests on it. */
  readonly requests: number;
}

export interface SenderOptions {
  /** gift-api's address, asked before each request: a restart may change it. */
  readonly address: () => string | undefined;
  /** Default 16. */
  readonly clients?: number;
  /** Without any answer to anybody for so long, gift-api has stopped: what is left is not sent any more. Default 20,000. */
  readonly stalledAfterMs?: number;
  readonly clock?: Clock;
}

/** Sends the turns in their order from concurrent clients; each waits for its answers before it takes the next. Never rejects. */
export async function sendGifts(turns: readonly Turn[], options: SenderOptions): Promise<SendReport> {
  const { clients = 16, clock = systemClock, stalledAfterMs = 20_000 } = options;
  const answers: Answer[] = [];
  const refusals: Refusal[] = [];
  let [requests, next, lastAnswerAt] = [0, 0, clock.monotonic()];
  const stalled = (): boolean => clock.monotonic() - lastAnswerAt > stalledAfterMs;

  const sendOne = async (gift: PlannedGift): Promise<void> => {
    const outcome = await untilAnswered(gift, options.address, clock, { count: () => (requests += 1), stalled });
    if ('giftId' in outcome) {
      answers.push(outcome);
      lastAnswerAt = clock.monotonic();
    } else {
      refusals.push(outcome);
    }
  };
  const client = async (): Promise<void> => {
    for (let turn = turns[next++]; turn && !stalled(); turn = turns[next++]) await Promise.all(turn.map(sendOne));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { answers, refusals, requests };
}

/** Sends one gift, with the same key again after whatever might pass: a lost connection, 503, 5xx, 409 while its twin is under way. */
async function untilAnswered(
  gift: PlannedGift,
  address: SenderOptions['address'],
  clock: Clock,
  { count, stalled }: { readonly count: () => void; readonly stalled: () => boolean },
): Promise<Answer | Refusal> {
  const { idempotencyKey, ...body } = gift;
  for (let waitMs = 50; ; waitMs = Math.min(1_000, waitMs * 2)) {
    let refusal: Refusal;
    try {
      count();
      const response = await fetch(`${address() ?? 'http://127.0.0.1:1'}/gifts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      });
      if (response.ok) {
        const { giftId, amountMinor } = (await response.json()) as GiftView;
        return { idempotencyKey, giftId, amountMinor };
      }
      refusal = { idempotencyKey, status: response.status, body: (await response.text()).slice(0, 300) };
      if (response.status < 500 && response.status !== 409 && response.status !== 429) return refusal;
      waitMs = Math.max(waitMs, Number(response.headers.get('retry-after') ?? 0) * 1_000);
    } catch (error) {
      refusal = { idempotencyKey, status: 0, body: String(error) };
    }
    if (stalled()) return refusal;
    await clock.wait(waitMs);
  }
}

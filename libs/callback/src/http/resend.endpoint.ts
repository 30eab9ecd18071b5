import { asError, type Clock, type Store, type TidingsLogger } from '@tidings/core';
import { resendQuestion, type Resender } from '../resender';
import { readTime } from '../sql/read-time';
import type { ResolvedHttpResendOptions } from './http-resend.options';
import { type RequestSignature, signAnswer, type SignedRequest, verifyRequest } from './http-signature';
import { Nonces } from './nonces';
import { readKeys } from './signing-keys';

export interface ResendEndpointSetup {
  /** This service's name: questions about messages of others are refused. */
  readonly source: string;
  readonly resender: Resender;
  /** Where nonces are kept, and whose time counts. */
  readonly store: Store;
  readonly options: ResolvedHttpResendOptions;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

export interface ResendHttpRequest extends SignedRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface ResendHttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Why a question is not answered. */
export type ResendRefusal = 'malformed' | 'signature' | 'early' | 'expired' | 'replayed' | 'source' | 'question' | 'length' | 'consumed' | 'failed'; // prettier-ignore

/** An unknown key and a wrong signature are told alike, and no key is named: who guesses learns nothing. */
const REFUSALS: Readonly<Record<ResendRefusal, readonly [status: number, told: string]>> = {
  malformed: [401, "expected Signature-Input, Signature and Content-Digest in Tidings' form (docs/callback-http.md)"],
  signature: [401, 'expected a signature by a key of this service over this very request; compare the keys of both services, and what proxies alter'], // prettier-ignore
  early: [401, 'expected a signature made by now, found one of the future; compare the clocks of both databases'],
  expired: [401, 'expected a signature made within the window, found an older one; ask anew'],
  replayed: [409, 'expected a request that was not seen before; sign each request anew'],
  source: [421, 'expected a question about messages of this service; correct callback.http.senders'],
  question: [400, 'expected a question of the callback service, found something else'],
  length: [413, 'expected a shorter question (maxBytes)'],
  consumed: [500, 'expected the bytes of the body, found it parsed already; leave application/vnd.tidings.resend+json to its controller, or create the application with rawBody: true'], // prettier-ignore
  failed: [
    500,
    'the question was accepted, and could not be answered; the log of this service tells why. Ask again later',
  ],
};

/** Answers signed questions of the callback service, whatever carries HTTP here. Refusals are unsigned: they decide nothing. */
export class ResendEndpoint {
  readonly #nonces: Nonces;

  constructor(private readonly setup: ResendEndpointSetup) {
    this.#nonces = new Nonces(setup.store, setup.clock, setup.logger);
  }

  /** Longer bodies need not be read. */
  get maxBytes(): number {
    return this.setup.options.maxBytes;
  }

  start(): void {
    this.#nonces.start();
  }

  stop(): Promise<void> {
    return this.#nonces.stop();
  }

  /** Never rejects: what fails is answered, and logged. */
  async answer(request: ResendHttpRequest): Promise<ResendHttpAnswer> {
    try {
      const { secrets } = await readKeys('callback.http.keys', this.setup.options.keys);
      const signature = verifyRequest(request, request.headers, secrets);
      if (typeof signature === 'string') return this.refuse(signature);
      const problem = await this.#problemOf(signature);
      if (problem) return this.refuse(problem);
      return await this.#answer(request, signature, secrets[signature.keyId]!);
    } catch (thrown) {
      this.setup.logger.error({ err: asError(thrown) }, 'a question of the callback service could not be answered; it is asked again'); // prettier-ignore
      return this.refuse('failed');
    }
  }

  refuse(refusal: ResendRefusal): ResendHttpAnswer {
    const [status, told] = REFUSALS[refusal];
    this.setup.logger.warn({ refusal }, `a question of the callback service was refused: ${told}`);
    return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify({ refusal, told })) }; // prettier-ignore
  }

  /** The time first: a nonce is kept only as long as the time does not refuse it. */
  async #problemOf(signature: RequestSignature): Promise<ResendRefusal | undefined> {
    const { windowMs, skewMs } = this.setup.options;
    const now = Date.parse(await readTime(this.setup.store));
    const created = signature.created * 1_000;
    if (created > now + skewMs) return 'early';
    if (now >= Math.min(signature.expires * 1_000, created + windowMs) + skewMs) return 'expired';
    return (await this.#nonces.use(signature)) ? undefined : 'replayed';
  }

  async #answer(
    { body }: SignedRequest,
    { keyId, signature }: RequestSignature,
    secret: string,
  ): Promise<ResendHttpAnswer> {
    // prettier-ignore
    const question = resendQuestion.safeParse(jsonOf(body));
    if (!question.success) return this.refuse('question');
    if (question.data.source !== this.setup.source) return this.refuse('source');
    const answer = Buffer.from(JSON.stringify({ answer: await this.setup.resender.resend(question.data) }));
    const signed = signAnswer({ status: 200, body: answer }, signature, { id: keyId, secret });
    return { status: 200, headers: { 'content-type': 'application/json', ...signed }, body: answer };
  }
}

/** Undefined for what is no JSON, which no question is. */
function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}

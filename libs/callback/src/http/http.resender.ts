import { z } from 'zod';
import { resendAnswer, type ResendAnswer, type Resender, type ResendQuestion } from '../resender';
import { HttpResendError } from './http-resend.error';
import type { ResolvedHttpResenderOptions } from './http-resend.options';
import { isGenuineAnswer, signRequest } from './http-signature';
import { readBody } from './read-body';
import { readKeys, signingKeyOf } from './signing-keys';

/** Parsers of bodies leave it alone, so that its bytes are what was signed. */
export const RESEND_CONTENT_TYPE = 'application/vnd.tidings.resend+json';

const KEYS = 'callback.http.keys';
const ANSWER_BYTES = 4_096;
const answered = z.object({ answer: resendAnswer });

/**
 * Asks the sender's service by a signed POST. A question is signed anew each time it is asked; its answer counts only when the same key has signed it for
 * this very question: "never" ends the care for a message, and must not be said by somebody in between.
 */
export class HttpResender implements Resender {
  /** `now`: RFC 3339, of the database; a process's own clock may be hours off. */
  constructor(
    private readonly options: ResolvedHttpResenderOptions,
    private readonly now: () => Promise<string>,
  ) {}

  /** @throws HttpResendError */
  async resend(question: ResendQuestion): Promise<ResendAnswer> {
    const { source } = question;
    const url = this.#urlOf(source);
    const key = signingKeyOf(KEYS, await readKeys(KEYS, this.options.keys));
    const body = Buffer.from(JSON.stringify(question));
    const created = Math.floor(Date.parse(await this.now()) / 1_000);
    const expires = created + Math.ceil(this.options.windowMs / 1_000);
    const request = { method: 'POST', target: `${url.pathname}${url.search}`, contentType: RESEND_CONTENT_TYPE, body };
    const { headers, signature } = signRequest(request, key, { created, expires });
    const { status, answer, fields } = await this.#post(source, url, body, { ...headers, 'content-type': RESEND_CONTENT_TYPE }); // prettier-ignore
    if (status !== 200) throw new HttpResendError(source, status, `expected an answer, found status ${status}: ${answer.toString().slice(0, 500)}`); // prettier-ignore
    if (!isGenuineAnswer({ status, body: answer }, fields, signature, key))
      throw new HttpResendError(source, status, 'expected an answer signed by the key of the question, found another; it is not believed'); // prettier-ignore
    return answered.parse(JSON.parse(answer.toString())).answer;
  }

  #urlOf(source: string): URL {
    const url = Object.hasOwn(this.options.senders, source) ? this.options.senders[source] : undefined;
    if (url === undefined) throw new HttpResendError(source, undefined, 'expected its URL in callback.http.senders, found none; add it'); // prettier-ignore
    return new URL(url);
  }

  async #post(
    source: string,
    url: URL,
    body: Buffer<ArrayBuffer>,
    headers: Record<string, string>,
  ): Promise<{ status: number; answer: Buffer; fields: Record<string, string> }> {
    const signal = AbortSignal.timeout(this.options.timeoutMs);
    try {
      // A redirect would hand the signed question to whoever it names.
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal });
      const answer = response.body ? await readBody(response.body, ANSWER_BYTES) : Buffer.alloc(0);
      if (!answer) throw new Error(`expected an answer of ${ANSWER_BYTES} bytes at most, found a longer one`);
      return { status: response.status, answer, fields: Object.fromEntries(response.headers) };
    } catch (thrown) {
      // fetch says "fetch failed", and its cause why.
      const { message, cause } = thrown as { message?: string; cause?: { message?: string } };
      const told = cause?.message ?? message;
      throw new HttpResendError(source, undefined, `expected an answer from ${url.origin} within ${this.options.timeoutMs} ms, found: ${told}`, { cause: thrown }); // prettier-ignore
    }
  }
}

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * HTTP Message Signatures, RFC 9421, with hmac-sha256 (section 3.3.3) over Content-Digest, RFC 9530: one profile of them, written and read in one form
 * only. What a verifier need not parse, nobody can make it misread.
 */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, as the request line has them. */
  readonly target: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface RequestSignature {
  /** Seconds since 1970, as RFC 9421 has them. */
  readonly created: number;
  readonly expires: number;
  readonly nonce: string;
  readonly keyId: string;
  /** Base64: what the answer is bound to. */
  readonly signature: string;
}

export interface SignatureHeaders {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

const LABEL = 'tidings';
const REQUEST = '("@method" "@path" "@query" "content-type" "content-digest")';
const ANSWER = '("@status" "content-digest" "signature";req;key="tidings")';
const ALGORITHM = 'alg="hmac-sha256"';
const REQUEST_TAG = 'tag="tidings-resend"';
const ANSWER_TAG = 'tag="tidings-resend-answer"';
const NONCE_BYTES = 18;

const literally = (text: string): string => text.replaceAll(/[()";.@-]/g, '\\$&');
const REQUEST_INPUT = new RegExp(
  `^${LABEL}=(${literally(REQUEST)};created=(\\d{1,12});expires=(\\d{1,12});nonce="([\\w-]{16,64})";keyid="([\\w.-]{1,64})";${literally(ALGORITHM)};${literally(REQUEST_TAG)})$`,
);
const SIGNATURE = new RegExp(`^${LABEL}=:([A-Za-z0-9+/]{43}=):$`);

export const newNonce = (): string => randomBytes(NONCE_BYTES).toString('base64url');

/** RFC 9530. */
export const contentDigestOf = (body: Uint8Array): string =>
  `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

const macOf = (secret: string, lines: readonly string[]): Buffer =>
  createHmac('sha256', secret).update(lines.join('\n')).digest();

const equal = (left: Buffer, right: Buffer): boolean => left.length === right.length && timingSafeEqual(left, right);

/** The signature base, RFC 9421 section 2.5. */
function requestLines({ method, target, contentType }: SignedRequest, digest: string, parameters: string): string[] {
  const query = target.indexOf('?');
  return [
    `"@method": ${method}`,
    `"@path": ${query < 0 ? target : target.slice(0, query)}`,
    `"@query": ${query < 0 ? '?' : target.slice(query)}`,
    `"content-type": ${contentType}`,
    `"content-digest": ${digest}`,
    `"@signature-params": ${parameters}`,
  ];
}

export function signRequest(
  request: SignedRequest,
  key: { readonly id: string; readonly secret: string },
  { created, expires, nonce = newNonce() }: { created: number; expires: number; nonce?: string },
): { readonly headers: SignatureHeaders; readonly signature: string } {
  const digest = contentDigestOf(request.body);
  const parameters = `${REQUEST};created=${created};expires=${expires};nonce="${nonce}";keyid="${key.id}";${ALGORITHM};${REQUEST_TAG}`;
  const signature = macOf(key.secret, requestLines(request, digest, parameters)).toString('base64');
  return { signature, headers: headersOf(digest, parameters, signature) };
}

/** `malformed`: not signed at all, or in another form. `signature`: not by a key of ours, or altered. */
export type SignatureProblem = 'malformed' | 'signature';

/** What a request's signature says, when one of the secrets made it for this very request. Whether it is in time and new is the caller's question. */
export function verifyRequest(
  request: SignedRequest,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  secrets: Readonly<Record<string, string>>,
): RequestSignature | SignatureProblem {
  const input = REQUEST_INPUT.exec(textOf(headers['signature-input']));
  const signature = SIGNATURE.exec(textOf(headers['signature']));
  if (!input || !signature) return 'malformed';
  const [, parameters, created, expires, nonce, keyId] = input as unknown as [string, string, string, string, string, string]; // prettier-ignore
  const digest = textOf(headers['content-digest']);
  const known = Object.hasOwn(secrets, keyId);
  // An unknown key costs as much as a known one: which keys there are is not to be measured.
  const secret = known ? secrets[keyId]! : newNonce();
  const genuine = equal(macOf(secret, requestLines(request, digest, parameters)), Buffer.from(signature[1]!, 'base64'));
  const unaltered = equal(Buffer.from(digest), Buffer.from(contentDigestOf(request.body)));
  if (!known || !genuine || !unaltered) return 'signature';
  return { created: Number(created), expires: Number(expires), nonce, keyId, signature: signature[1]! };
}

const answerLines = (status: number, digest: string, request: string, parameters: string): string[] => [
  `"@status": ${status}`,
  `"content-digest": ${digest}`,
  `"signature";req;key="tidings": :${request}:`,
  `"@signature-params": ${parameters}`,
];

const answerParameters = (keyId: string): string => `${ANSWER};keyid="${keyId}";${ALGORITHM};${ANSWER_TAG}`;

/** Signs an answer by the key of its request, and binds it to that (RFC 9421 section 2.4): an answer to one question answers no other. */
export function signAnswer(
  answer: { readonly status: number; readonly body: Uint8Array },
  request: string,
  key: { readonly id: string; readonly secret: string },
): SignatureHeaders {
  const digest = contentDigestOf(answer.body);
  const parameters = answerParameters(key.id);
  const mac = macOf(key.secret, answerLines(answer.status, digest, request, parameters));
  return headersOf(digest, parameters, mac.toString('base64'));
}

export function isGenuineAnswer(
  answer: { readonly status: number; readonly body: Uint8Array },
  headers: Readonly<Record<string, string | undefined>>,
  request: string,
  key: { readonly id: string; readonly secret: string },
): boolean {
  const parameters = answerParameters(key.id);
  const signature = SIGNATURE.exec(textOf(headers['signature']));
  if (headers['signature-input'] !== `${LABEL}=${parameters}` || !signature) return false;
  const mac = macOf(key.secret, answerLines(answer.status, contentDigestOf(answer.body), request, parameters));
  return equal(mac, Buffer.from(signature[1]!, 'base64'));
}

const headersOf = (digest: string, parameters: string, signature: string): SignatureHeaders => ({
  'content-digest': digest,
  'signature-input': `${LABEL}=${parameters}`,
  signature: `${LABEL}=:${signature}:`,
});

const textOf = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');

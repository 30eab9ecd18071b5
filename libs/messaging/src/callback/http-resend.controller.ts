import { Controller, Post, Req, Res } from '@nestjs/common';
import { readBody, ResendEndpoint, type ResendHttpAnswer } from '@tidings/callback';

/** What is needed of Node's request, as Express hands it on. */
interface IncomingQuestion extends AsyncIterable<Uint8Array> {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly readableEnded: boolean;
  /** With `rawBody: true`. */
  readonly rawBody?: Buffer;
}

interface OutgoingAnswer {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  end(body: Uint8Array): unknown;
}

/** Where the callback service asks by HTTP. Bytes in, bytes out: a pipe or an interceptor in between would break the signatures. */
@Controller('callback')
export class HttpResendController {
  constructor(private readonly endpoint: ResendEndpoint) {}

  @Post('resend')
  async resend(@Req() request: IncomingQuestion, @Res() response: OutgoingAnswer): Promise<void> {
    const { status, headers, body } = await this.#answerTo(request);
    response.writeHead(status, headers);
    response.end(body);
  }

  async #answerTo(request: IncomingQuestion): Promise<ResendHttpAnswer> {
    if (request.readableEnded && !request.rawBody) return this.endpoint.refuse('consumed');
    const { method, originalUrl: target, headers } = request;
    const { maxBytes } = this.endpoint;
    // What says itself that it is too long is left unread; a stream that lies about it is cut off.
    const tooLong = Number(headers['content-length'] ?? 0) > maxBytes;
    const body = tooLong ? undefined : (request.rawBody ?? (await readBody(request, maxBytes)));
    if (!body) return this.endpoint.refuse('length');
    const { 'content-type': contentType } = headers;
    return this.endpoint.answer({ method, target, headers, body, contentType: String(contentType) });
  }
}

import { BadRequestException, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';

const FORM = /^[\x21-\x7e]{1,128}$/;

/** The request's Idempotency-Key, or null without one: the same request sent twice is then two gifts. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | null => {
  const key = context.switchToHttp().getRequest<IncomingMessage>().headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && FORM.test(key)) return key;
  throw new BadRequestException('Idempotency-Key: must be 1 to 128 visible ASCII characters without spaces, as a UUID');
});

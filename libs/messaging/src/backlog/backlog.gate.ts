import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  mixin,
  ServiceUnavailableException,
  type Type,
} from '@nestjs/common';
import type { BacklogGateOptions } from './backlog-gate.options';
import type { BacklogGauge } from './backlog-gauge';
import { BacklogGauges } from './backlog-gauges';

/** An answer of Express, of Fastify, or of node:http. */
interface HeaderSink {
  readonly setHeader?: (name: string, value: string) => unknown;
  readonly header?: (name: string, value: string) => unknown;
}

async function letThrough(gauge: BacklogGauge, context: ExecutionContext): Promise<boolean> {
  if (context.getType() !== 'http') return true;
  const { messages, full } = await gauge.read();
  if (!full) return true;
  const { maxBacklog, retryAfterS } = gauge.options;
  const response = context.switchToHttp().getResponse<HeaderSink>();
  const set = response.setHeader ?? response.header;
  set?.call(response, 'Retry-After', String(retryAfterS));
  throw new ServiceUnavailableException(
    `${messages} messages wait already, the limit is ${maxBacklog}: try again in ${retryAfterS} s`,
  );
}

/**
 * Shaves peaks: a guard that refuses requests with 503 and `Retry-After` while more messages wait than `messaging.backlogGate` allows, before anything of
 * the request is written. What is accepted is as safe as ever. The limit is soft: what arrives within `refreshMs` of it still passes.
 * Other than HTTP passes.
 */
@Injectable()
export class BacklogGate implements CanActivate {
  constructor(private readonly gauges: BacklogGauges) {}

  canActivate(context: ExecutionContext): Promise<boolean> {
    return letThrough(this.gauges.default, context);
  }
}

/** The same with options of its own, for `@UseGuards(backlogGate({ maxBacklog: 5_000, topics: ['gift.sent'] }))`. */
export function backlogGate(options: BacklogGateOptions): Type<CanActivate> {
  @Injectable()
  class OwnBacklogGate implements CanActivate {
    constructor(private readonly gauges: BacklogGauges) {}

    canActivate(context: ExecutionContext): Promise<boolean> {
      return letThrough(this.gauges.of(options), context);
    }
  }
  return mixin(OwnBacklogGate);
}

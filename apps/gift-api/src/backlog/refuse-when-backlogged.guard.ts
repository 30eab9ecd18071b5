import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  ServiceUnavailableException,
} from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { BacklogGauge } from './backlog-gauge';
import { BACKLOG_LIMIT } from './backlog-limit';

/** Some hundreds of messages pass in a second; a client that comes back then finds room, or is told so again. */
const RETRY_AFTER_SECONDS = 1;

/** Past the limit a new gift would only wait behind the others: refusing it at once is kinder, and keeps the database's work bounded. */
@Injectable()
export class RefuseWhenBackloggedGuard implements CanActivate {
  constructor(
    private readonly gauge: BacklogGauge,
    @Inject(BACKLOG_LIMIT) private readonly limit: number,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const backlog = await this.gauge.read();
    if (backlog < this.limit) return true;
    context.switchToHttp().getResponse<ServerResponse>().setHeader('Retry-After', String(RETRY_AFTER_SECONDS));
    throw new ServiceUnavailableException(
      `${backlog} messages wait already, the limit is ${this.limit}: try again in a moment`,
    );
  }
}

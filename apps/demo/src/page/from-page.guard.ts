import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';

/** Insists on a header that a foreign site cannot send unasked: nobody else's page can kill or rush anything here. */
@Injectable()
export class FromPageGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    if (headers['x-tidings-demo'] === undefined) throw new ForbiddenException('the header x-tidings-demo is missing');
    return true;
  }
}

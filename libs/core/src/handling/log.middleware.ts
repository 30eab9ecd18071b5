import type { TidingsLogger } from '../logger';
import type { Middleware } from './middleware';

/** One line for each delivery that did not simply succeed. */
export const logMiddleware =
  (logger: TidingsLogger): Middleware =>
  async (context, next) => {
    const settlement = await next();
    const fields = {
      handler: context.handler.name,
      group: context.handler.subscription.group,
      type: context.message.type,
      message: context.message.id,
      attempt: context.attempt,
      settlement: settlement.kind,
    };
    if (settlement.kind === 'accept') logger.debug(fields, 'handled');
    else if (settlement.kind === 'release') logger.debug(fields, 'released: this process is stopping');
    else if (settlement.kind === 'retry' && !settlement.counted && !settlement.error)
      logger.debug(fields, 'not tried yet, will come again');
    else
      logger.warn(
        { ...fields, err: settlement.error },
        settlement.kind === 'retry' ? 'failed, will be retried' : settlement.reason,
      );
    return settlement;
  };

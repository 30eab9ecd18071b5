import { type MessageContract, TidingsError } from '@tidings/core';
import { handles, type OnMessageOptions } from './on-message.decorator';

/** What holds for `@OnMessage`; the group is this service's name. */
export type CompensateOptions = Pick<
  OnMessageOptions,
  'ordered' | 'concurrency' | 'retry' | 'timeoutMs' | 'onFailure' | 'transport' | 'store'
>;

/**
 * Undoes what this service did before it published a message of the contract, once for each group that refused the message for good (`RefusedError`).
 * The method takes `(payload, context)`: the payload of the refused message, and `refusalOf(context)` tells who refused it and why. A dead letter refuses
 * nothing, for a redrive may succeed. It runs in the inbox's transaction, as any handler: retried when it fails, a dead letter when it fails for good.
 *
 * @throws TidingsError for a contract that is not `refusable`: its messages would never say that they are compensated.
 */
export function Compensate(
  contract: MessageContract<unknown, never>,
  options: CompensateOptions = {},
): MethodDecorator {
  if (!contract.refusable)
    throw new TidingsError(
      'TIDINGS_CONTRACT_DEFINITION',
      `@Compensate(${contract.type}): expected a refusable contract, found one that is not; add refusable: true to its defineMessage`,
    );
  return handles({ contract, options: { ...options, group: '' }, compensates: contract });
}

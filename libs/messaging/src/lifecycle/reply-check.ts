import { resendRequest } from '@tidings/callback';
import { CapabilityError, hasRequestReply, type Transport } from '@tidings/core';
import type { PlannedSubscription } from '../handling/subscription-plan';

/** Of the callback service. */
const { type: RESEND } = resendRequest('any');

/** @throws CapabilityError when requests would be handled and never answered. */
export function checkReplies({ handlers }: PlannedSubscription, transport: Transport): void {
  const responder = handlers.find(({ reply }) => reply);
  if (!responder || hasRequestReply(transport)) return;
  throw new CapabilityError(
    transport.kind,
    'request-reply',
    `receive ${responder.contract.type} of ${responder.name} over a transport that has it` +
      (responder.contract.type === RESEND ? ', or add HttpResendModule and have it asked by HTTP' : ''),
  );
}

import { accept, type Message, reject, retry, type Settlement } from '@tidings/core';
import type { CheckedInboxOptions } from './inbox.options';
import type { InboxRefusal } from './inbox-store';

/** What becomes of a message that the inbox did not let through to its handler. */
export function settlementOf(
  refusal: InboxRefusal,
  message: Pick<Message, 'id' | 'source' | 'bucket'>,
  options: Pick<CheckedInboxOptions, 'againAfterMs'>,
): Settlement {
  switch (refusal.kind) {
    case 'duplicate':
      return accept;
    case 'conflict':
      return reject(`conflict: message ${message.id} of ${message.source} was handled before with other content`);
    case 'outside':
      return reject(
        `outside the dedupe horizon: bucket ${message.bucket} is older than ${refusal.horizon}, nobody knows whether it was handled; redrive it to handle it`,
      );
    case 'unfit':
      return reject(`the inbox cannot file it: ${refusal.problem}`);
    case 'busy':
      return retry(options.againAfterMs, { counted: false });
  }
}

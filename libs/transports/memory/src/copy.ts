import type { Message } from '@tidings/core';

/** A broker's bytes are its own: sender, broker and each receiver have their copy, as behind a network. */
export const copyOf = (message: Message): Message =>
  Object.freeze({
    ...message,
    payload: Uint8Array.from(message.payload),
    headers: Object.freeze({ ...message.headers }),
  });

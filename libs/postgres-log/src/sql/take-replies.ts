import { asError, messageOf, type Store, table, type WireMessage } from '@tidings/core';

interface ReplyRow {
  readonly topic: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

/** Hands over what has come for an address, once. A reply that cannot be read is handed over as the error it is. */
export async function takeReplies(store: Store, address: string): Promise<(WireMessage | Error)[]> {
  const { rows } = await store.query<ReplyRow>({
    text: `delete from ${table(store, 'reply')} where address = $1 returning topic, attributes, headers, payload`,
    values: [address],
  });
  return rows.map(({ topic, attributes, headers, payload }) => {
    try {
      return messageOf(attributes, payload, topic, headers);
    } catch (thrown) {
      return asError(thrown);
    }
  });
}

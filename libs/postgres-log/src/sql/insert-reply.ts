import { attributesOf, type Message, type Store, table } from '@tidings/core';
import { replyChannel } from '../reply-channel';

/** How long a reply waits for a requester that is away. Most requests are given up long before. */
const KEPT_FOR = '5 minutes';

/** Files a reply and wakes whoever it is for. */
export async function insertReply(store: Store, address: string, reply: Message): Promise<void> {
  await store.query({
    text: `with filed as (
        insert into ${table(store, 'reply')} (address, expires_at, topic, attributes, headers, payload)
        values ($1, ${table(store, 'now')}() + interval '${KEPT_FOR}', $2, $3::jsonb, $4::jsonb, $5) returning address)
      select pg_notify($6, '') from filed`,
    values: [
      address,
      reply.topic,
      JSON.stringify(attributesOf({ message: reply })),
      JSON.stringify(reply.headers),
      reply.payload,
      replyChannel(address),
    ],
  });
}

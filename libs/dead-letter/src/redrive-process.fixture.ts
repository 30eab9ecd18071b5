import { SpecRedrive } from './spec-redrive.fixture';

/** What the spec tells the process. */
export interface RedriveOrders {
  readonly url: string;
  readonly schema: string;
  /** After so many letters it publishes one more, tells so, and never comes back to mark it. */
  readonly hangAfter: number;
}

/** A worker as a process of its own. */
async function run({ url, schema, hangAfter }: RedriveOrders): Promise<void> {
  const spec = await SpecRedrive.open(url, schema);
  const deliver = spec.publisher.answer;
  spec.publisher.answer = async (outgoing) => {
    const result = await deliver(outgoing);
    if (spec.publisher.sent.length <= hangAfter) return result;
    process.send!('hangs');
    return new Promise(() => undefined);
  };
  await spec.worker({ leaseMs: 1_000 }).start();
}

process.once('message', (orders: RedriveOrders) => {
  run(orders).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});

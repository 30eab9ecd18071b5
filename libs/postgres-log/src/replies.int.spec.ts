import { HEADERS } from '@tidings/core';
import { describeOn, testMessage } from '@tidings/testing';
import { replyChannel } from './reply-channel';
import { SpecLog } from './spec-log.fixture';
import { deleteExpiredReplies } from './sql/delete-expired-replies';
import { insertReply } from './sql/insert-reply';
import { takeReplies } from './sql/take-replies';

describeOn('postgres', 'Replies in the log', (url) => {
  let spec: SpecLog;
  beforeAll(async () => {
    spec = await SpecLog.open(url);
  });
  afterAll(() => spec.close());

  it('are taken by their address, once, as they were sent', async () => {
    const { store } = spec.log();
    const reply = testMessage({ version: 3, headers: { [HEADERS.requestId]: 'r-1', note: '💐' } });
    await insertReply(store, 'here', reply);
    await insertReply(store, 'there', testMessage());
    const [taken, ...others] = await takeReplies(store, 'here');
    expect(taken).toMatchObject({ message: { ...reply, payload: Buffer.from(reply.payload) } });
    expect(others).toEqual([]);
    expect(await takeReplies(store, 'here')).toEqual([]);
    expect(await takeReplies(store, 'there')).toHaveLength(1);
  });

  it('are told to their address and to no other', async () => {
    const { store } = spec.log();
    const told: string[] = [];
    const heard = new Promise<void>((resolve) => {
      void Promise.all(
        ['here', 'there'].map((name) =>
          store.listen(replyChannel(`${spec.schema}-${name}`), (payload) => {
            if (payload === undefined) return;
            told.push(name);
            if (name === 'here') resolve();
          }),
        ),
      ).then(() => insertReply(store, `${spec.schema}-here`, testMessage()));
    });
    await heard;
    expect(told).toEqual(['here']);
  });

  it('are deleted a page at a time when nobody fetched them in five minutes', async () => {
    const { store } = spec.log();
    for (let n = 0; n < 3; n++) await insertReply(store, 'gone', testMessage());
    expect(await deleteExpiredReplies(store, 2)).toBe(0);
    await spec.pool.query(
      `update ${spec.schema}.reply set expires_at = expires_at - interval '5 minutes' where address = 'gone'`,
    );
    expect(await deleteExpiredReplies(store, 2)).toBe(2);
    expect(await deleteExpiredReplies(store, 2)).toBe(1);
    expect(await takeReplies(store, 'gone')).toEqual([]);
  });
});

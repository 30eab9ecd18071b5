import { describePrivate, testMessage, until } from '@tidings/testing';
import { inboxEntryOf } from '@tidings/inbox';
import { Cluster } from 'ioredis';
import { inboxStoreConformance } from '../../libs/inbox/src/inbox-store.conformance';
import { redisInboxFilter } from '../../libs/redis-inbox/src/redis-inbox-filter';
import { RedisInboxScene } from './redis-inbox-scene.fixture';

describePrivate('redis-cluster', 'the inbox and the inbox filter in a cluster of Redis', (cluster) => {
  let client: Cluster;
  let scene: RedisInboxScene;
  beforeEach(() => {
    client = new Cluster([cluster().url]);
    scene = new RedisInboxScene(client, 'cluster');
  });
  afterEach(async () => {
    await Promise.all(client.nodes('master').map((node) => node.flushall()));
    client.disconnect();
  });

  inboxStoreConformance(() => scene.harness);

  it('the filter knows what was handled, of subscriptions on every node', async () => {
    const filter = redisInboxFilter({ client, prefix: 'cluster', writeEveryMs: 10, answerMs: 2_000 });
    const entries = Array.from({ length: 20 }, (_, n) => inboxEntryOf({ group: `group-${n}`, topic: 'gift.sent' }, testMessage())); // prettier-ignore
    filter.start();
    for (const entry of entries) filter.remember(entry);
    await filter.stop();
    const other = redisInboxFilter({ client, prefix: 'cluster', answerMs: 2_000 });
    for (const entry of entries) await until('it is known', async () => (await other.known(entry)) === 'handled');
    const kept = await Promise.all(client.nodes('master').map((node) => node.dbsize()));
    expect(kept.every((keys) => keys > 0)).toBe(true);
  });
});

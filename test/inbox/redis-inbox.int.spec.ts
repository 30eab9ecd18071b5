import { accept, type Settlement } from '@tidings/core';
import { inboxEntryOf, InboxUnavailableError } from '@tidings/inbox';
import { describeOn, Gate, testMessage, until } from '@tidings/testing';
import { Redis } from 'ioredis';
import { inboxStoreConformance } from '../../libs/inbox/src/inbox-store.conformance';
import { RedisInbox, redisInbox } from '../../libs/redis-inbox/src/redis-inbox';
import { SpecRedis } from '../../libs/redis-inbox/src/spec-redis.fixture';
import { RedisInboxScene, RETENTION_DAYS } from './redis-inbox-scene.fixture';

const DAY_MS = 86_400_000;
const ranking = { group: 'ranking', topic: 'gift.sent' };

describeOn('redis', 'RedisInbox', (url) => {
  let server: SpecRedis;
  let scene: RedisInboxScene;
  /** Opened when a spec is over: whoever was killed would renew its claim for ever. */
  let atLast: Gate;

  beforeEach(() => {
    atLast = new Gate();
    server = new SpecRedis(url);
    scene = new RedisInboxScene(server.client, server.prefix);
  });
  afterEach(() => {
    atLast.open();
    return server.close();
  });

  inboxStoreConformance(() => scene.harness);

  const entry = () => inboxEntryOf(ranking, testMessage());

  it('a claim is free when its process has died, and not while it lives', async () => {
    const impatient = scene.made({ claimMs: 200 });
    const message = entry();
    const [began, mayEnd] = [new Gate(), new Gate()];
    const first = impatient.once(message, async () => {
      began.open();
      await mayEnd.opened;
      return accept;
    });
    await began.opened;
    const busy = await scene.made({ claimMs: 200, waitMs: 500 }).once(message, async () => accept); // longer than a claim holds by itself
    mayEnd.open();
    expect([busy.kind, (await first).kind]).toEqual(['busy', 'handled']);

    const dead = entry();
    const [key] = (await claimAndDie(dead), await server.keys()).filter((name) => name.includes(dead.digest.toString('base64url'))); // prettier-ignore
    expect(await server.client.pttl(key!)).toBeGreaterThan(0);
    await until('its claim is over', async () => (await impatient.once(dead, async () => accept)).kind === 'handled');
  });

  /** As a process that took it and was killed. */
  async function claimAndDie(message: ReturnType<typeof entry>): Promise<void> {
    const dying = new Redis(url);
    const began = new Gate();
    void new RedisInbox({ client: dying, prefix: server.prefix, claimMs: 300 })
      .once(message, () => {
        began.open();
        return atLast.opened.then((): Settlement => ({ kind: 'release' }));
      })
      .catch(() => undefined);
    await began.opened;
    dying.disconnect();
  }

  it('every entry has an end, so that Redis is never full of what nobody asks for', async () => {
    const today = await scene.day();
    for (const bucket of [today, null]) await scene.inbox.once(inboxEntryOf(ranking, testMessage({ bucket })), async () => accept); // prettier-ignore
    const entries = (await server.keys()).filter((key) => !key.endsWith(':horizon'));
    const ends = await Promise.all(entries.map((key) => server.client.pttl(key)));
    expect(ends).toHaveLength(2);
    for (const end of ends) expect(end).toBeGreaterThan(RETENTION_DAYS * DAY_MS);
    for (const end of ends) expect(end).toBeLessThanOrEqual((RETENTION_DAYS + 3) * DAY_MS);
  });

  it('is no failure of the handler when Redis is away', async () => {
    const client = new Redis(url, { lazyConnect: true, enableOfflineQueue: false });
    client.disconnect();
    let handled = false;
    const asked = redisInbox({ client, prefix: server.prefix }).once(entry(), async () => {
      handled = true;
      return accept;
    });
    await expect(asked).rejects.toBeInstanceOf(InboxUnavailableError);
    expect(handled).toBe(false);
  });

  it.each([
    [{ client: 'redis://127.0.0.1' as never }, 'redisInbox.client'],
    [{ prefix: 'a:b' }, 'redisInbox.prefix'],
    [{ retentionDays: 0 }, 'redisInbox.retentionDays'],
  ])('refuses %j', (options, path) => {
    expect(() => redisInbox({ client: server.client, ...options })).toThrow(path);
  });
});

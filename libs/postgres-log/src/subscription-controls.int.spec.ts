import { type Closeable, silentLogger } from '@tidings/core';
import { describeOn, ManualClock, until } from '@tidings/testing';
import type { PoolClient } from 'pg';
import { MessageLog } from './message-log';
import { SpecLog } from './spec-log.fixture';
import type { SubscriptionControl } from './subscription-control';
import { SubscriptionControls } from './subscription-controls';

const name = { group: 'ranking', topic: 'gift.sent' };
const why = { by: 'ann', reason: 'maintenance' };
const within = { withinMs: 30_000 };

describeOn('postgres', 'the controls of subscriptions', (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  const following: Closeable[] = [];

  beforeEach(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
  });
  afterEach(async () => {
    for (const one of following.splice(0)) await one.close();
    await spec.close();
  });

  const follow = async (on: MessageLog): Promise<(readonly SubscriptionControl[])[]> => {
    const told: (readonly SubscriptionControl[])[] = [];
    following.push(await new SubscriptionControls(on).follow((controls) => void told.push(controls)));
    return told;
  };
  const isPaused = (told: readonly (readonly SubscriptionControl[])[]): boolean => Boolean(told.at(-1)?.[0]?.paused);

  it('are told before the follower has begun, and when another process changes them', async () => {
    const controls = new SubscriptionControls(log);
    await controls.pause(name, why);
    const { store } = spec.log();
    const told = await follow(new MessageLog(store, { clock: new ManualClock(), logger: silentLogger })); // it polls never
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject([{ ...name, paused: why }]);
    const since = told[0]![0]!.paused!.since;
    await controls.pause(name, { by: 'bob', reason: 'still' });
    await until('it is told', () => told.at(-1)?.[0]?.paused?.by === 'bob', within);
    expect(told.at(-1)![0]!.paused).toEqual({ by: 'bob', reason: 'still', since });
    await controls.resume(name);
    await until('it is told', () => told.at(-1)?.length === 0, within);
  });

  it('are found by the next look when the signal was lost', async () => {
    const elsewhere = spec.log();
    elsewhere.signals.controlsChanged = () => undefined;
    const told = await follow(log);
    await new SubscriptionControls(elsewhere).pause(name, why);
    await until('it is told', () => isPaused(told), within);
  });

  it('are seen in whatever order two decisions commit', async () => {
    const told = await follow(log);
    const insert = `insert into ${spec.schema}.subscription_control (topic, group_name, paused_at, paused_by, paused_reason) values ($1, 'g', now(), 'x', 'x')`;
    const client: PoolClient = await spec.pool.connect();
    try {
      await client.query('begin');
      await client.query(insert, ['early']);
      await spec.pool.query(insert, ['late']);
      log.signals.controlsChanged();
      await until('the one that committed', () => told.at(-1)?.map(({ topic }) => topic).join() === 'late', within); // prettier-ignore
      await client.query('commit');
    } finally {
      client.release();
    }
    log.signals.controlsChanged();
    await until('both', () => told.at(-1)?.map(({ topic }) => topic).join() === 'early,late', within); // prettier-ignore
  });

  it('are told by a signal that a process of the version before reads as a reader that it does not have', async () => {
    const payloads: (string | undefined)[] = [];
    following.push(await log.store.listen(`tidings:${spec.schema}`, (payload) => payloads.push(payload)));
    await new SubscriptionControls(log).pause(name, why);
    await until('it came', () => payloads.some((payload) => payload?.includes('controls')), within);
    expect(payloads.find((payload) => payload?.includes('controls'))).toMatch(/^\w+ m:\*controls$/);
  });

  it('cost no statement of their own while nothing changes', async () => {
    await new SubscriptionControls(log).pause(name, why);
    const told = await follow(log);
    const texts: string[] = [];
    const query = log.store.query.bind(log.store);
    log.store.query = (statement) => {
      texts.push(statement.name ?? statement.text);
      return query(statement);
    };
    log.signals.controlsChanged();
    await until('a look', () => texts.length > 0 && told.length === 1, within);
    expect(texts.filter((text) => !text.endsWith('.look') && !text.includes('pg_notify'))).toEqual([]);
  });
});

import { randomBytes } from 'node:crypto';
import { quoted, silentLogger, type Store, systemClock } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn } from '@tidings/testing';
import { Pool } from 'pg';
import { callbackMigrations } from '../migrations';
import type { ResendAnswer, ResendQuestion } from '../resender';
import { readTime } from '../sql/read-time';
import { checkHttpResendOptions } from './http-resend.options';
import { newNonce, signRequest } from './http-signature';
import { Nonces } from './nonces';
import { ResendEndpoint, type ResendHttpAnswer, type ResendHttpRequest } from './resend.endpoint';
import type { SigningKeys } from './signing-keys';

const old = { id: 'old', secret: 'o'.repeat(32) };
const current = { id: 'new', secret: 'n'.repeat(32) };
const WINDOW_S = 300;
const SKEW_S = 30;
const question: ResendQuestion = {
  id: 'g1',
  source: 'gift-api',
  type: 'gift.sent',
  topic: 'gift.sent',
  key: null,
  bucket: '2026-11-27',
  time: '2026-11-27T00:00:00.000Z',
  headers: {},
  transaction: null,
  groups: ['ranking'],
};

describeOn('postgres', 'ResendEndpoint', (url) => {
  const schema = `resend_${randomBytes(4).toString('hex')}`;
  const s = quoted(schema);
  let pool: Pool;
  let store: Store;
  let keys: SigningKeys;
  let asked: string[];
  let here: ResendEndpoint;
  let there: ResendEndpoint;
  let now: number;

  const endpoint = (resend: () => Promise<ResendAnswer>): ResendEndpoint =>
    new ResendEndpoint({
      source: 'gift-api',
      resender: {
        resend: ({ id }) => {
          asked.push(id);
          return resend();
        },
      },
      store: pg(pool, { schema }),
      options: checkHttpResendOptions('spec', { keys: () => keys, windowMs: WINDOW_S * 1_000, skewMs: SKEW_S * 1_000 }),
      clock: systemClock,
      logger: silentLogger,
    });
  const signed = (
    about: unknown = question,
    given: { created?: number; expires?: number; key?: typeof current } = {},
  ): ResendHttpRequest => {
    const { created = now, key = current } = given;
    const { expires = created + WINDOW_S } = given;
    const body = Buffer.from(typeof about === 'string' ? about : JSON.stringify(about));
    const request = { method: 'POST', target: '/callback/resend', contentType: 'application/json', body };
    return { ...request, headers: { ...signRequest(request, key, { created, expires, nonce: newNonce() }).headers } };
  };
  const told = ({ status, body }: ResendHttpAnswer): unknown[] => {
    const { answer, refusal } = JSON.parse(body.toString()) as { answer?: string; refusal?: string };
    return [status, answer ?? refusal];
  };
  const partitions = async (): Promise<string[]> =>
    (
      await pool.query<{ name: string }>(
        `select c.relname as name from pg_inherits p join pg_class c on c.oid = p.inhrelid where p.inhparent = to_regclass($1) order by 1`,
        [`${s}.callback_nonce`],
      )
    ).rows.map(({ name }) => name);

  beforeAll(() => {
    pool = new Pool({ connectionString: url, max: 8, options: '-c timezone=Pacific/Kiritimati' }); // dates must not depend on it
    store = pg(pool, { schema });
  });
  beforeEach(async () => {
    await migrate(store, callbackMigrations);
    keys = { secrets: { [old.id]: old.secret, [current.id]: current.secret } };
    asked = [];
    here = endpoint(() => Promise.resolve('sent'));
    there = endpoint(() => Promise.resolve('sent'));
    now = Math.floor(Date.parse(await readTime(store)) / 1_000);
  });
  afterEach(() => pool.query(`drop schema ${s} cascade`));
  afterAll(() => pool.end());

  it('answers a question once, in whatever process it comes again', async () => {
    const request = signed();
    expect(told(await here.answer(request))).toEqual([200, 'sent']);
    expect(told(await there.answer(request))).toEqual([409, 'replayed']);
    expect(told(await here.answer(request))).toEqual([409, 'replayed']);
    expect(told(await there.answer(signed()))).toEqual([200, 'sent']);
    expect(asked).toEqual(['g1', 'g1']);
  });

  it('answers one of twenty copies that come at the same time to two processes', async () => {
    const request = signed();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? here : there).answer(request)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  it('goes by the time of its database', async () => {
    const at = async (seconds: number, expires?: number) =>
      told(await here.answer(signed(question, { created: now + seconds, ...(expires !== undefined && { expires: now + expires }) }))); // prettier-ignore
    expect(await at(-(WINDOW_S + SKEW_S + 1))).toEqual([401, 'expired']);
    expect(await at(-(WINDOW_S + SKEW_S + 1), 3_600)).toEqual([401, 'expired']); // a window of its own choice does not help it
    expect(await at(-(SKEW_S + 10), -(SKEW_S + 1))).toEqual([401, 'expired']);
    expect(await at(SKEW_S + 60)).toEqual([401, 'early']);
    expect(await at(-WINDOW_S)).toEqual([200, 'sent']);
    expect(await at(SKEW_S - 10)).toEqual([200, 'sent']);
    expect(asked).toHaveLength(2);
  });

  it('keeps what was answered for as long as its time allows it, and then drops it', async () => {
    const dayAhead = (days: number) =>
      pool.query(
        `create or replace function ${s}.now() returns timestamptz language sql volatile parallel safe as $$ select clock_timestamp() + interval '${days} days' $$`,
      );
    const nonces = new Nonces(store, systemClock, silentLogger);
    const request = signed();
    await here.answer(request);
    await nonces.dropExpired();
    expect(told(await there.answer(request))).toEqual([409, 'replayed']);
    expect(await partitions()).toHaveLength(1);
    await dayAhead(1);
    await nonces.dropExpired();
    expect(await partitions()).toHaveLength(1);
    await dayAhead(3);
    await nonces.dropExpired();
    expect(await partitions()).toHaveLength(0);
    expect(told(await here.answer(request))).toEqual([401, 'expired']);
  });

  it('takes the old key and the new one while both are there', async () => {
    expect(told(await here.answer(signed(question, { key: old })))).toEqual([200, 'sent']);
    expect(told(await here.answer(signed(question, { key: current })))).toEqual([200, 'sent']);
    keys = { secrets: { [current.id]: current.secret } };
    expect(told(await here.answer(signed(question, { key: old })))).toEqual([401, 'signature']);
    expect(told(await here.answer(signed(question, { key: current })))).toEqual([200, 'sent']);
  });

  it('tells an unknown key and a wrong secret alike, and names neither', async () => {
    const unknown = await here.answer(signed(question, { key: { id: 'guessed', secret: current.secret } }));
    const wrong = await here.answer(signed(question, { key: { id: current.id, secret: 'x'.repeat(32) } }));
    expect(unknown).toEqual(wrong);
    expect(told(wrong)).toEqual([401, 'signature']);
    for (const text of [old.id, current.id, old.secret, current.secret, 'guessed'])
      expect(wrong.body.toString()).not.toMatch(new RegExp(`\\b${text}\\b`));
  });

  it.each<[string, unknown, unknown[]]>([
    ['about messages of another service', { ...question, source: 'ranking' }, [421, 'source']],
    ['that is none', { ...question, groups: [] }, [400, 'question']],
    ['that is no JSON', '{', [400, 'question']],
  ])('refuses a question %s', async (_, about, expected) => {
    expect(told(await here.answer(signed(about)))).toEqual(expected);
    expect(asked).toEqual([]);
  });

  it('refuses what is not signed', async () => {
    expect(told(await here.answer({ ...signed(), headers: {} }))).toEqual([401, 'malformed']);
    expect(told(await here.answer({ ...signed(), target: '/callback/measures' }))).toEqual([401, 'signature']);
    expect(asked).toEqual([]);
  });

  it('says that it failed, and neither why nor with a signature', async () => {
    const failing = endpoint(() => Promise.reject(new Error('relation "gift" does not exist')));
    const answer = await failing.answer(signed());
    expect(told(answer)).toEqual([500, 'failed']);
    expect(answer.headers).toEqual({ 'content-type': 'application/json' });
    expect(answer.body.toString()).not.toContain('gift');
    keys = { secrets: {} };
    expect(told(await here.answer(signed()))).toEqual([500, 'failed']);
  });
});

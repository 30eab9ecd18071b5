import { park, retry, systemClock } from '@tidings/core';
import { describeOn, until } from '@tidings/testing';
import { KeyReleaser, type Release } from './key-releaser';
import { gift, PLACE, SpecParking } from './spec-parking.fixture';

describeOn('postgres', 'parked keys', (url) => {
  let spec: SpecParking;
  beforeAll(async () => {
    spec = await SpecParking.open(url);
  });
  afterEach(() => spec.clear());
  afterAll(() => spec.close());

  const unparked = (key = 'k') => until(`${key} is unparked`, async () => !(await spec.row(key)), { withinMs: 30_000 });
  const settled = (kind: string, key = 'k') =>
    until(`${key} is ${kind}`, async () => (await spec.row(key))?.state === kind, { withinMs: 30_000 });

  it('accepts a head that failed and its followers, which wait for it, while other keys go on', async () => {
    const one = spec.instance(({ key }) => (key === 'k' ? retry(60_000) : undefined));
    for (const message of [gift('a'), gift('x', 'other'), gift('b'), gift('c')]) await one.deliver(message);
    expect(spec.world.effects).toEqual(['x']);
    expect(await spec.row()).toEqual({ state: 'waiting', attempts: 1, waiting: ['a', 'b', 'c'] });
    expect(await spec.row('other')).toBeUndefined();
  });

  it('tries the head again when it is due, lets its followers go on in order, and unparks', async () => {
    const one = spec.instance(({ id }, attempt) => (id === 'a' && attempt < 3 ? retry(1) : undefined));
    for (const id of ['a', 'b', 'c']) await one.deliver(gift(id));
    await one.releaser.start();
    await unparked();
    expect(spec.world.effects).toEqual(['a', 'b', 'c']);
    expect(spec.world.attempts).toEqual(['a:1', 'a:2', 'a:3', 'b:1', 'c:1']);
    await one.deliver(gift('d'));
    expect(spec.world.effects).toEqual(['a', 'b', 'c', 'd']);
  });

  it('goes on counting attempts after a restart, from what the transport had counted', async () => {
    const failing = (): never => {
      throw new Error('no');
    };
    await spec.instance(failing).deliver(gift('a'), 2);
    expect(await spec.row()).toMatchObject({ state: 'waiting', attempts: 2 });
    const restarted = spec.instance(failing);
    await restarted.releaser.start();
    await settled('dead');
    expect(spec.world.attempts).toEqual(['a:2', 'a:3']); // three in all, as the policy says
    expect(spec.world.letters).toHaveLength(1);
  });

  it('keeps the key of a dead letter parked until the letter is redriven, and its followers behind it', async () => {
    let broken = true;
    const one = spec.instance(({ id }) => {
      if (broken && id === 'a') throw new Error('poison');
    });
    await one.deliver(gift('a'), 3);
    const follower = gift('b');
    await one.deliver(follower);
    await one.releaser.start();
    expect(await spec.row()).toEqual({ state: 'dead', attempts: 3, waiting: ['a', 'b'] });
    broken = false;
    const [letter] = spec.world.letters;
    const head = { direction: 'inbound', place: 'badges', message: letter! } as const;
    const again = { kind: 'again', message: { ...letter!, generation: 1 } } as const;
    expect(await one.parkedKeys.resume({ ...head, message: follower }, again)).toBe('not-parked');
    const both = await Promise.all([one.parkedKeys.resume(head, again), one.parkedKeys.resume(head, again)]);
    expect(both).toContain('resumed');
    await unparked();
    expect(spec.world.effects).toEqual(['a', 'b']);
    expect([...spec.world.handled]).toContain('a#1');
    expect(await one.parkedKeys.resume(head, again)).toBe('not-parked');
  });

  it('says again that a head was resumed for as long as it has not been settled', async () => {
    const one = spec.instance(() => {
      throw new Error('poison');
    });
    await one.deliver(gift('a'), 3);
    const [letter] = spec.world.letters;
    const head = { direction: 'inbound', place: 'badges', message: letter! } as const;
    const again = { kind: 'again', message: { ...letter!, generation: 1 } } as const;
    for (let call = 0; call < 3; call++) expect(await one.parkedKeys.resume(head, again)).toBe('resumed');
    expect(await spec.row()).toEqual({ state: 'waiting', attempts: 0, waiting: ['a'] });
  });

  it('takes a later generation of a resumed head that is not settled yet, for its letter was edited meanwhile', async () => {
    const one = spec.instance(({ id, generation }) => {
      if (id === 'a' && generation < 2) throw new Error('poison');
    });
    await one.deliver(gift('a'), 3);
    await one.deliver(gift('b'));
    const head = { direction: 'inbound', place: 'badges', message: spec.world.letters[0]! } as const;
    const again = (generation: number) => ({ kind: 'again', message: { ...head.message, generation } }) as const;
    expect(await one.parkedKeys.resume(head, again(1))).toBe('resumed');
    expect(await one.parkedKeys.resume(head, again(2))).toBe('resumed');
    expect(await one.parkedKeys.resume(head, again(1))).toBe('resumed'); // late, and changes nothing
    await one.releaser.start();
    await unparked();
    expect(spec.world.effects).toEqual(['a', 'b']);
    expect([...spec.world.handled]).toContain('a#2');
  });

  it('lets the followers of a discarded head go on without it', async () => {
    const one = spec.instance(({ id }) => {
      if (id === 'a') throw new Error('poison');
    });
    await one.deliver(gift('a'), 3);
    await one.deliver(gift('b'));
    await one.releaser.start();
    const head = { direction: 'inbound', place: 'badges', message: spec.world.letters[0]! } as const;
    expect(await one.parkedKeys.resume(head, { kind: 'discard' })).toBe('resumed');
    await unparked();
    expect(spec.world.effects).toEqual(['b']);
  });

  it('takes a redrive that comes by the broker for the dead head, and does not file it behind itself', async () => {
    let broken = true;
    const one = spec.instance(({ id }) => {
      if (broken && id === 'a') throw new Error('poison');
    });
    const head = gift('a');
    await one.deliver(head, 3);
    await one.deliver(gift('b'));
    await one.deliver(head); // a copy, for the acknowledgement was lost
    expect(await spec.row()).toMatchObject({ state: 'dead', waiting: ['a', 'b'] });
    broken = false;
    await one.deliver({ ...head, generation: 1 });
    await one.releaser.start();
    await unparked();
    expect(spec.world.effects).toEqual(['a', 'b']);
  });

  it('keeps a copy of a waiting message once, and another content under its id as well', async () => {
    const one = spec.instance(({ id }) => (id === 'a' ? retry(60_000) : undefined));
    const follower = gift('b');
    for (const message of [gift('a'), follower, follower, { ...follower, type: 'gift.taken' }])
      await one.parkedKeys.park(PLACE, { message }, { delayMs: 60_000, attempts: 1, reason: '' });
    expect((await spec.row())?.waiting).toEqual(['a', 'b', 'b']);
  });

  it('keeps a message exactly: bytes, headers, stamp, any text', async () => {
    const message = gift('id \u0000 \ud800', 'key \u0000', {
      payload: Buffer.from([0, 255, 254, 1]),
      headers: { traceparent: 'ü\u0000', x: '' },
      crc32c: 4_294_967_295,
      bucket: null,
    });
    const stamp = { sequence: 5, epoch: 2, epochStart: 4 };
    const seen: unknown[] = [];
    const one = spec.instance(() => undefined);
    await one.parkedKeys.park(PLACE, { message, stamp }, { delayMs: 0, attempts: 7, reason: 'r\u0000' });
    const releaser = new KeyReleaser({
      ...one.releaser['setup'],
      places: () =>
        new Map<string, Release>([
          [
            PLACE.place,
            async (head, attempt) => {
              seen.push(head.message, head.stamp, attempt);
              return retry(60_000);
            },
          ],
        ]),
    });
    await releaser.runOnce();
    await releaser.idle();
    expect(seen).toEqual([{ ...message, payload: Buffer.from(message.payload) }, stamp, 8]);
  });

  it('parks what a newer deployment must handle, without counting an attempt', async () => {
    const one = spec.instance(() => park('newer version'));
    await one.deliver(gift('a'));
    await one.deliver(gift('b'));
    expect(await spec.row()).toEqual({ state: 'waiting', attempts: 0, waiting: ['a', 'b'] });
  });

  it('one of two instances releases a key, the other finds it taken', async () => {
    let running = 0;
    let most = 0;
    const slow = async (message: { id: string }): Promise<void> => {
      if (!spec.world.attempts.includes(`${message.id}:2`) && message.id === 'a') throw new Error('once');
      most = Math.max(most, ++running);
      await systemClock.wait(5);
      running -= 1;
    };
    const [one, two] = [spec.instance(slow), spec.instance(slow)];
    for (let n = 0; n < 10; n++) await one.deliver(gift(n === 0 ? 'a' : `f${n}`));
    await Promise.all([one.releaser.start(), two.releaser.start()]);
    await unparked();
    expect(most).toBe(1);
    expect(spec.world.effects).toEqual(['a', ...Array.from({ length: 9 }, (_, n) => `f${n + 1}`)]);
  });
});

import { confirmed, type DeadLetter, failed, type OutgoingMessage, type Publisher } from '@tidings/core';
import { testMessage } from '@tidings/testing';
import type { DeadLetters } from './dead-letters';

/** What every keeper of dead letters owes. */
export function deadLettersConformance(harness: () => DeadLetters): void {
  const letterOf = (overrides: Partial<DeadLetter> = {}): DeadLetter => ({
    message: testMessage(),
    direction: 'inbound',
    place: 'ranking',
    transport: 'main',
    handler: 'RankGiftHandler.rank',
    reason: 'failed 5 times',
    attempts: 5,
    failures: [
      {
        attempt: 5,
        at: '2026-11-21T10:00:00.000Z',
        instance: 'pod-1',
        errors: [{ name: 'Error', message: 'no luck' }],
      },
    ],
    ...overrides,
  });
  const only = async () => {
    const [summary, ...more] = await harness().list();
    expect(more).toEqual([]);
    return (await harness().find(summary!.id))!;
  };
  /** Publishers by any name; each call's messages are kept. */
  const recording = (...results: (ReturnType<typeof failed> | Error)[]) => {
    const sent: OutgoingMessage[] = [];
    const publisher: Publisher = {
      async publish(messages) {
        sent.push(...messages);
        const result = results.shift();
        if (result instanceof Error) throw result;
        return messages.map(() => result ?? confirmed);
      },
    };
    return { sent, publisherOf: () => publisher };
  };

  it('keeps the whole letter', async () => {
    const letter = letterOf();
    await harness().bury(letter);
    const found = await only();
    expect(found).toMatchObject({ ...letter, message: { ...letter.message, payload: expect.anything() as unknown } });
    expect(found).toMatchObject({ status: 'dead', settledAt: null, redrive: null, editedPayload: null });
    expect(found.buriedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('keeps payload, headers and names byte for byte', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const message = testMessage({
      id: 'Größe 🎁 \u{10FFFF} "\\',
      key: 'комната',
      payload: Buffer.concat([every, every]),
      contentType: 'application/octet-stream',
      headers: { 'x-name': '名前 🎁\u0000\ud800', empty: '', tenant: 'acme' },
      time: 'when I say so',
      bucket: null,
      crc32c: 0xffff_ffff,
      version: 2 ** 40,
      generation: 2 ** 41,
    });
    await harness().bury(letterOf({ message }));
    const found = await only();
    expect(Buffer.from(found.message.payload).equals(message.payload)).toBe(true);
    expect({ ...found.message, payload: null }).toEqual({ ...message, payload: null });
    expect((await harness().list())[0]).toMatchObject({ tenant: 'acme', key: 'комната', generation: 2 ** 41 });
  });

  it('keeps an empty payload, and one of 1 MiB', async () => {
    const payloads = [Buffer.alloc(0), Buffer.alloc(1_048_576, 7)];
    for (const payload of payloads) await harness().bury(letterOf({ message: testMessage({ payload }) }));
    const letters = await harness().list();
    const found = await Promise.all(letters.map(({ id }) => harness().find(id)));
    expect(found.map((letter) => payloads.findIndex((payload) => payload.equals(letter!.message.payload)))).toEqual([
      0, 1,
    ]);
  });

  it('buries whatever text it is given: no message may be stuck because of it', async () => {
    const odd = 'nul \u0000 half \ud800 end';
    await harness().bury(
      letterOf({
        message: testMessage({ id: odd, source: odd, key: odd }),
        reason: odd + 'x'.repeat(1_000_000),
        failures: [{ attempt: 1, at: odd, instance: odd, errors: [{ name: odd, message: odd, stack: odd }] }],
      }),
    );
    const { reason, message, failures } = await only();
    expect(message.id).toBe('nul \uFFFD half \uFFFD end');
    expect(reason.length).toBeLessThan(21_000);
    expect(failures[0]!.errors[0]!.message).toBe('nul \uFFFD half \uFFFD end');
  });

  it('files a message once for each place and generation, however often and at once it is buried', async () => {
    const letter = letterOf();
    await Promise.all(Array.from({ length: 8 }, () => harness().bury(letter)));
    await harness().bury({ ...letter, attempts: 6, transport: 'another' });
    expect(await harness().list()).toHaveLength(1);
    await harness().bury({ ...letter, place: 'badges' });
    await harness().bury({ ...letter, message: { ...letter.message, generation: 1 } });
    await harness().bury({ ...letter, direction: 'outbound' });
    expect(await harness().list()).toHaveLength(4);
  });

  it('files both messages of a conflict: one id, two contents', async () => {
    for (const payload of ['a', 'b']) await harness().bury(letterOf({ message: testMessage({ id: 'same', payload }) }));
    expect(await harness().list()).toHaveLength(2);
  });

  it('tells the attempts of other processes too, once, and forgets those of a message that was handled after all', async () => {
    const letter = letterOf();
    const failure = (attempt: number) => ({ ...letter.failures[0]!, attempt, instance: `pod-${attempt}` });
    expect(await harness().note({ ...letter, failures: [failure(1), failure(2)] })).toBe(0);
    expect(await harness().note({ ...letter, failures: [failure(3)] })).toBeGreaterThan(0);
    const handled = letterOf({ message: testMessage() });
    expect(await harness().note({ ...handled, failures: [failure(7)] })).toBe(0);
    await harness().forget(handled);
    await harness().bury({ ...letter, failures: [failure(4)] });
    await harness().bury({ ...handled, failures: [failure(8)] });
    const stories = (await harness().list()).map(async ({ id }) => (await harness().find(id))!.failures);
    expect((await Promise.all(stories)).map((story) => story.map(({ attempt }) => attempt))).toEqual([
      [1, 2, 3, 4],
      [8],
    ]);
  });

  it('lists page by page, oldest first, and refuses a bad page by its path', async () => {
    for (let n = 0; n < 5; n++) await harness().bury(letterOf({ message: testMessage({ id: `m${n}` }) }));
    const first = await harness().list({ limit: 3 });
    const second = await harness().list({ limit: 3, after: first.at(-1)!.id });
    expect([...first, ...second].map(({ messageId }) => messageId)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    await expect(harness().list({ limit: 0 })).rejects.toThrow(/^deadLetters\.list\.limit: /);
    await expect(harness().list({ after: 'x' })).rejects.toThrow(/^deadLetters\.list\.after: /);
  });

  it('groups letters that failed alike, whatever ids their errors name', async () => {
    const because = (message: string, place = 'ranking') =>
      harness().bury(
        letterOf({
          message: testMessage(),
          place,
          failures: [{ attempt: 1, at: '', instance: '', errors: [{ name: 'Error', message }] }],
        }),
      );
    await because('no room 0193f3a2-77aa-7bbb-8ccc-0123456789ab in shard 4');
    await because('no room 0193f3a2-ffff-7bbb-8ccc-0123456789ab in shard 17');
    await because('no gift 5');
    await because('no gift 6', 'badges');
    const [a, b, c, d] = (await harness().list()).map(({ failureFingerprint }) => failureFingerprint);
    expect(a).toBe(b);
    expect(new Set([b, c, d]).size).toBe(3);
  });

  it('knows nothing of an id that was never given', async () => {
    for (const id of ['1', '0', '-1', 'x', '9'.repeat(30), '']) {
      expect(await harness().find(id)).toBeUndefined();
      expect(await harness().redrive(id, recording().publisherOf)).toEqual({ outcome: 'unknown' });
    }
  });

  it('redrives to the group that failed only, one generation higher, with all else as it was', async () => {
    const message = testMessage({ bucket: '2020-01-01', headers: { a: 'b' }, key: 'room 1', generation: 2 });
    await harness().bury(letterOf({ message }));
    const { sent, publisherOf } = recording();
    const { id } = await only();
    expect(await harness().redrive(id, publisherOf)).toEqual({ outcome: 'redriven', generation: 3 });
    expect(sent).toHaveLength(1);
    expect(sent[0]!.group).toBe('ranking');
    expect(sent[0]!.attempts ?? 0).toBe(0);
    expect(sent[0]!.message).toEqual({
      ...message,
      payload: expect.anything() as unknown,
      generation: 3,
      bucket: expect.not.stringMatching('2020-01-01') as unknown,
    });
    expect(Buffer.from(sent[0]!.message.payload).equals(message.payload)).toBe(true);
    expect(await harness().find(id)).toMatchObject({ status: 'redriven', settledAt: expect.any(String) as unknown });
  });

  it('does nothing at a second redrive, and no longer lists the letter among the open ones', async () => {
    await harness().bury(letterOf());
    const { id } = await only();
    const { sent, publisherOf } = recording();
    await harness().redrive(id, publisherOf);
    expect(await harness().redrive(id, publisherOf)).toEqual({ outcome: 'settled', status: 'redriven' });
    expect(sent).toHaveLength(1);
    expect(await harness().list()).toEqual([]);
    expect(await harness().list({ status: ['redriven'] })).toHaveLength(1);
  });

  it('sends the same generation and bucket again after a redrive that failed or was cut off', async () => {
    await harness().bury(letterOf());
    const { id } = await only();
    const { sent, publisherOf } = recording(failed('transient', new Error('broker away')), new Error('cut off'));
    expect(await harness().redrive(id, publisherOf)).toMatchObject({ outcome: 'failed', reason: 'transient' });
    expect(await harness().list()).toMatchObject([{ status: 'redriving' }]);
    await expect(harness().redrive(id, publisherOf)).rejects.toThrow('cut off');
    expect(await harness().redrive(id, publisherOf)).toEqual({ outcome: 'redriven', generation: 1 });
    expect(new Set(sent.map(({ message }) => `${message.generation} ${message.bucket}`)).size).toBe(1);
  });

  it('sends one generation only when two persons redrive at the same time', async () => {
    await harness().bury(letterOf());
    const { id } = await only();
    const { sent, publisherOf } = recording();
    await Promise.all([1, 2, 3].map(() => harness().redrive(id, publisherOf)));
    expect(new Set(sent.map(({ message }) => `${message.generation} ${message.bucket}`)).size).toBe(1);
  });

  it('sends an outbound letter to its topic again as it was, or to the one group that it was for', async () => {
    const message = testMessage({ bucket: '2020-01-01', generation: 1 });
    const outbound = { direction: 'outbound', place: 'main/gift.sent', message } as const;
    await harness().bury(letterOf(outbound));
    await harness().bury(letterOf({ ...outbound, group: 'badges' }));
    const { sent, publisherOf } = recording();
    for (const { id } of await harness().list()) await harness().redrive(id, publisherOf);
    expect(sent.map(({ group }) => group)).toEqual([undefined, 'badges']);
    for (const { message: again } of sent) expect(again).toMatchObject({ generation: 1, bucket: '2020-01-01' });
  });

  it('has an outbound letter wait again that fails again after its redrive, with the whole story', async () => {
    const message = testMessage({ generation: 1 });
    const letter = letterOf({
      direction: 'outbound',
      place: 'main/gift.sent',
      message,
      attempts: 1,
      reason: 'refused',
    });
    await harness().bury(letter);
    const { id } = await only();
    const { sent, publisherOf } = recording();
    for (const times of [2, 3]) {
      expect(await harness().redrive(id, publisherOf)).toMatchObject({ outcome: 'redriven' });
      expect(await harness().list()).toEqual([]);
      await harness().bury({ ...letter, reason: `refused ${times} times` });
      await harness().bury(letter); // as after a crash in between
      const again = await only();
      expect(again).toMatchObject({ id, status: 'dead', settledAt: null, attempts: times, reason: `refused ${times} times` }); // prettier-ignore
      expect(again.failures).toHaveLength(times);
    }
    await harness().discard(id, { by: 'Ada', reason: 'of no use' });
    await harness().bury(letter);
    expect(await harness().list()).toEqual([]);
    expect(sent).toHaveLength(2);
  });

  it('refuses to redrive on a transport that is not there, and leaves the letter as it was', async () => {
    await harness().bury(letterOf());
    const { id } = await only();
    await expect(harness().redrive(id, () => undefined)).rejects.toMatchObject({
      code: 'TIDINGS_REDRIVE',
      transport: 'main',
    });
    expect(await harness().find(id)).toMatchObject({ status: 'dead' });
  });
}

import { type DeadLetter, failed } from '@tidings/core';
import { testMessage } from '@tidings/testing';
import type { DeadLetters, ListOptions } from './dead-letters';
import { failureOf, letterOf, RecordingPublisher } from './letter.fixture';

const why = { by: 'Ada', reason: 'the schema was wrong' };

/** What a keeper of dead letters owes the person who looks after them. `elsewhere` is another, empty one. */
export function deadLetterDeskConformance(harness: () => DeadLetters, elsewhere: () => DeadLetters): void {
  const bury = (overrides: Partial<DeadLetter> = {}, message: Parameters<typeof testMessage>[0] = {}) =>
    harness().bury(letterOf({ message: testMessage(message), ...overrides }));
  const ids = async (options: ListOptions = {}): Promise<string[]> =>
    (await harness().list(options)).map(({ messageId }) => messageId);
  const only = async () => (await harness().find((await harness().list())[0]!.id))!;
  const linesOf = async (letters: DeadLetters, filter = {}): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of letters.export(filter)) lines.push(line);
    return lines;
  };

  describe('finding', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    beforeEach(async () => {
      await bury({}, { id: 'plain' });
      await bury({ direction: 'outbound', place: 'main/gift.sent' }, { id: 'out' });
      await bury({ transport: 'logs', handler: 'other' }, { id: 'on logs', source: 'elsewhere', topic: 'gifts' });
      await bury({ reason: 'Forbidden by GUARD' }, { id: 'typed', type: 'room.closed', key: 'r1' });
      await bury({ failures: [failureOf('cannot read Room 7', 'TypeError')] }, { id: 'type error', key: 'r2' });
      await bury({}, { id: 'traced', headers: { traceparent, tenant: 'acme' }, key: 'x'.repeat(5_000) });
    });

    it.each<[string, ListOptions, string[]]>([
      ['direction', { direction: 'outbound' }, ['out']],
      ['place', { place: 'main/gift.sent' }, ['out']],
      ['transport', { transport: 'logs' }, ['on logs']],
      ['topic', { topic: 'gifts' }, ['on logs']],
      ['source', { source: 'elsewhere' }, ['on logs']],
      ['type', { type: 'room.closed' }, ['typed']],
      ['key', { key: 'r1' }, ['typed']],
      ['a key longer than an index row', { key: 'x'.repeat(5_000) }, ['traced']],
      ['no other key with the same beginning', { key: 'x'.repeat(4_999) }, []],
      ['message id', { messageId: 'plain' }, ['plain']],
      ['trace id', { traceId: '0af7651916cd43dd8448eb211c80319c' }, ['traced']],
      ['tenant', { tenant: 'acme' }, ['traced']],
      ['error name', { errorName: 'TypeError' }, ['type error']],
      ['part of the reason, in any case', { reason: 'by guard' }, ['typed']],
      ['part of an error, in any case', { text: 'READ room' }, ['type error']],
      ['text of the reason too', { text: 'Forbidden' }, ['typed']],
      ['several at once', { type: 'gift.sent', errorName: 'TypeError', place: 'ranking' }, ['type error']],
      ['burial before', { buriedBefore: '2020-01-01T00:00:00Z' }, []],
      ['burial between', { messageId: 'plain', buriedFrom: '2020-01-01T00:00:00Z', buriedBefore: '2999-01-01T00:00:00+02:00' }, ['plain']], // prettier-ignore
      ['status', { status: ['discarded'] }, []],
    ])('filters by %s', async (_by, filter, expected) => {
      expect(await ids(filter)).toEqual(expected);
    });

    it('filters by failure', async () => {
      const [typeError] = await harness().list({ errorName: 'TypeError' });
      expect(await ids({ failureFingerprint: typeError!.failureFingerprint })).toEqual(['type error']);
      expect(typeError).toMatchObject({ errorName: 'TypeError', edited: false, traceId: null });
    });

    it('lists the newest first, page by page, when told so', async () => {
      const first = await harness().list({ order: 'newest', limit: 4 });
      const rest = await harness().list({ order: 'newest', after: first.at(-1)!.id });
      expect([...first, ...rest].map(({ messageId }) => messageId)).toEqual(
        ['plain', 'out', 'on logs', 'typed', 'type error', 'traced'].reverse(),
      );
    });

    it('refuses a filter that it does not know, by its path', async () => {
      await expect(harness().list({ typ: 'x' } as ListOptions)).rejects.toThrow(/^deadLetters\.list.*typ/);
      await expect(harness().list({ buriedFrom: 'yesterday' })).rejects.toThrow(/^deadLetters\.list\.buriedFrom: /);
      await expect(harness().list({ status: [] })).rejects.toThrow(/^deadLetters\.list\.status: /);
    });
  });

  describe('grouping', () => {
    beforeEach(async () => {
      for (let n = 0; n < 5; n++) await bury({ failures: [failureOf(`no gift ${n}`)] }, { id: `gift ${n}` });
      await bury({ failures: [failureOf('no gift 9')], place: 'badges' }, { type: 'room.closed' });
      await bury({ failures: [failureOf('no room 1', 'RoomError')] }, { id: 'room' });
    });

    it('tells how many failed alike, since when, and an example', async () => {
      const groups = await harness().groups();
      expect(groups.map(({ count }) => count).sort()).toEqual([1, 1, 5]);
      const five = groups.find(({ count }) => count === 5)!;
      const alike = await harness().list({ failureFingerprint: five.value });
      expect(five).toMatchObject({
        by: 'failure',
        orMore: false,
        firstAt: alike[0]!.buriedAt,
        lastAt: alike[4]!.buriedAt,
        example: { id: alike[4]!.id, type: 'gift.sent', place: 'ranking', errorName: 'Error' },
      });
    });

    it('groups by type and by place, page by page, and stops counting where told', async () => {
      const counted = async (by: 'type' | 'place', more = {}) =>
        (await harness().groups({ by, ...more })).map(({ value, count, orMore }) => [value, count, orMore]);
      expect(await counted('type')).toEqual([['gift.sent', 6, false], ['room.closed', 1, false]]); // prettier-ignore
      expect(await counted('place', { limit: 1 })).toEqual([['badges', 1, false]]);
      expect(await counted('place', { after: 'badges', countTo: 3 })).toEqual([['ranking', 3, true]]);
      await expect(harness().groups({ limit: 0 })).rejects.toThrow(/^deadLetters\.groups\.limit: /);
    });

    it('counts what waits for somebody only', async () => {
      const [room] = await harness().list({ messageId: 'room' });
      await harness().discard(room!.id, why);
      expect((await harness().groups()).map(({ example }) => example.errorName)).toEqual(['Error', 'Error']);
    });
  });

  describe('deciding', () => {
    it('redrives what an edit says, and keeps the original and who edited it, when, why and to what', async () => {
      const message = testMessage({ payload: { gift: 'rsoe' }, headers: { a: 'b' } });
      await harness().bury(letterOf({ message }));
      const { id } = await only();
      expect(await harness().edit(id, { ...why, payload: '{"gift":"rose"}' })).toEqual({ outcome: 'edited' });
      expect(await harness().edit(id, { ...why, by: 'Bob', headers: { 'x-名': '\u0000' } })).toEqual({
        outcome: 'edited',
      });
      const publisher = new RecordingPublisher();
      await harness().redrive(id, publisher.of);
      expect(publisher.sent[0]!.message).toMatchObject({ headers: { 'x-名': '\u0000' }, generation: 1 });
      expect(Buffer.from(publisher.sent[0]!.message.payload).toString()).toBe('{"gift":"rose"}');
      const letter = (await harness().find(id))!;
      expect(Buffer.from(letter.message.payload).equals(message.payload)).toBe(true);
      expect(letter.message.headers).toEqual({ a: 'b' });
      expect(letter.audit).toMatchObject([
        { ...why, action: 'edit', payload: Buffer.from('{"gift":"rose"}'), headers: null },
        { by: 'Bob', action: 'edit', payload: null, headers: { 'x-名': '\u0000' } },
      ]);
      expect(letter.audit[0]!.at).toMatch(/^\d{4}-\d\d-\d\dT/);
      expect(await harness().edit(id, { ...why, payload: 'x' })).toEqual({ outcome: 'settled', status: 'redriven' });
    });

    it('edits a letter whose redrive was cut off: the next one is of a new generation', async () => {
      await bury();
      const { id } = await only();
      const publisher = new RecordingPublisher();
      publisher.answer = () => failed('too-large', new Error('too large'));
      expect(await harness().redrive(id, publisher.of)).toMatchObject({ outcome: 'failed', reason: 'too-large' });
      expect(await harness().edit(id, { ...why, payload: '1' })).toEqual({ outcome: 'edited' });
      publisher.answer = new RecordingPublisher().answer;
      expect(await harness().redrive(id, publisher.of)).toEqual({ outcome: 'redriven', generation: 2 });
      expect(publisher.sent.map(({ message }) => message.generation)).toEqual([1, 2]);
      expect((await harness().find(id))!.audit.map(({ action }) => action)).toEqual(['reopen', 'edit']);
    });

    it('does not edit what may be out already under the same generation', async () => {
      await bury({ direction: 'outbound' });
      const { id } = await only();
      const publisher = new RecordingPublisher();
      publisher.answer = () => failed('transient', new Error('away'));
      await harness().redrive(id, publisher.of);
      expect(await harness().edit(id, { ...why, payload: '1' })).toEqual({ outcome: 'redriving' });
    });

    it('discards with a reason, once, and never redrives it', async () => {
      await bury();
      const { id } = await only();
      expect(await harness().discard(id, why)).toEqual({ outcome: 'discarded' });
      expect(await harness().discard(id, why)).toEqual({ outcome: 'settled', status: 'discarded' });
      const publisher = new RecordingPublisher();
      expect(await harness().redrive(id, publisher.of)).toEqual({ outcome: 'settled', status: 'discarded' });
      expect(publisher.sent).toEqual([]);
      const letter = (await harness().find(id))!;
      expect(letter).toMatchObject({ status: 'discarded', settledAt: expect.any(String) as unknown });
      expect(letter.audit).toMatchObject([{ ...why, action: 'discard' }]);
    });

    it('refuses an edit or a discard without a name, a reason or a change, by its path', async () => {
      await bury();
      const { id } = await only();
      await expect(harness().discard(id, { by: '', reason: 'x' })).rejects.toThrow(/^deadLetters\.discard\.by: /);
      await expect(harness().edit(id, { ...why, reason: '', payload: '' })).rejects.toThrow(
        /^deadLetters\.edit\.reason: /,
      );
      await expect(harness().edit(id, why)).rejects.toThrow(/^deadLetters\.edit: expected a payload or headers/);
      expect(await harness().discard('x', why)).toEqual({ outcome: 'unknown' });
      expect(await harness().edit('99', { ...why, payload: '' })).toEqual({ outcome: 'unknown' });
    });

    it('purges what is settled, and nothing that waits', async () => {
      await bury({}, { id: 'waits' });
      await bury({}, { id: 'gone' });
      await harness().discard((await harness().list({ messageId: 'gone' }))[0]!.id, why);
      await harness().note(letterOf());
      expect(await harness().purge({ olderThanMs: 3_600_000 })).toEqual({ letters: 0, failures: 0 });
      expect(await harness().purge({ olderThanMs: 0 })).toEqual({ letters: 1, failures: 1 });
      expect(await ids({ status: ['dead', 'redriving', 'discarded'] })).toEqual(['waits']);
    });
  });

  describe('carrying elsewhere', () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    beforeEach(async () => {
      await bury(
        {},
        { id: 'bytes', payload: every, headers: { nul: '\u0000\ud800 名' }, bucket: null, crc32c: 0xffff_ffff },
      );
      await bury({ direction: 'outbound', group: 'badges', attempts: 0, failures: [] }, { id: 'empty', payload: '' });
      await bury({}, { id: 'edited' });
      await bury({}, { id: 'discarded' });
      await bury({}, { id: 'redriving' });
      const [, , edited, discarded, redriving] = await harness().list();
      await harness().edit(edited!.id, { ...why, payload: every, headers: { a: '\u0000' } });
      await harness().discard(discarded!.id, why);
      const publisher = new RecordingPublisher();
      publisher.answer = () => failed('transient', new Error('away'));
      await harness().redrive(redriving!.id, publisher.of);
    });
    const ALL = { status: ['dead', 'redriving', 'discarded'] } as const;

    it('imports what was exported, lossless, and only once', async () => {
      const lines = await linesOf(harness(), ALL);
      expect(lines).toHaveLength(5);
      const text = Buffer.from(lines.join(''));
      const cut = [text.subarray(0, 1_001), text.subarray(1_001, 1_002), text.subarray(1_002)];
      expect(await elsewhere().import(cut, why)).toEqual({ imported: 5, known: 0 });
      expect(await elsewhere().import(lines, why)).toEqual({ imported: 0, known: 5 });
      expect(await harness().import(lines, why)).toEqual({ imported: 0, known: 5 });
      const here = await harness().list(ALL);
      const there = await elsewhere().list(ALL);
      for (const [index, { id }] of here.entries()) {
        const original = (await harness().find(id))!;
        const copy = (await elsewhere().find(there[index]!.id))!;
        expect({ ...copy, id: '', audit: copy.audit.slice(0, -1) }).toEqual({ ...original, id: '' });
        expect(copy.audit.at(-1)).toMatchObject({ ...why, action: 'import' });
      }
    });

    it('imports nothing when a line is no letter, and names the line and the field', async () => {
      const lines = await linesOf(harness(), ALL);
      const broken = (change: (letter: Record<string, unknown>) => unknown, line = 3): string[] =>
        lines.map((text, index) => {
          const letter = JSON.parse(text) as Record<string, unknown>;
          return index + 1 === line ? `${JSON.stringify(change(letter))}\n` : text;
        });
      const importing = (given: readonly string[]) => elsewhere().import(given, why);
      const bad = (field: string, line = 3) => ({ code: 'TIDINGS_LETTER_IMPORT', line, field });
      await expect(importing(broken((l) => ({ ...l, status: 'lost' })))).rejects.toMatchObject(bad('status'));
      const payload = (l: Record<string, unknown>) => ({
        ...l,
        message: { ...(l['message'] as object), payload: 'é' },
      });
      await expect(importing(broken(payload, 5))).rejects.toMatchObject(bad('message.payload', 5));
      await expect(importing(broken((l) => ({ ...l, settledAt: l['buriedAt'] })))).rejects.toMatchObject(
        bad('settledAt'),
      );
      await expect(importing([...lines, '{"cut": '])).rejects.toMatchObject(bad('line', 6));
      expect(await elsewhere().list(ALL)).toEqual([]);
    });
  });
}

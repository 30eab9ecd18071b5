import { Injectable } from '@nestjs/common';
import { defineMessage } from '@tidings/core';
import { describeOn, server, until } from '@tidings/testing';
import { z } from 'zod';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround } from '../handling/spec-ground.fixture';
import { closeAll } from '../test-application.fixture';

const NoteTaken = defineMessage('note.taken', {
  schema: z.object({ room: z.string(), name: z.string(), text: z.string() }),
  key: ({ room }) => room,
});
interface Note {
  readonly room: string;
  readonly name: string;
  readonly text: string;
}

const TOO_LONG = 'x'.repeat(1_000);
const GRACE_MS = 200;
const patient = { withinMs: 20_000 };
jest.setTimeout(60_000);
const why = { by: 'spec', reason: 'as asked' };

let arrived: Note[];

@Injectable()
class Reader {
  @OnMessage(NoteTaken, { group: 'readers', ordered: true })
  read(note: Note): void {
    arrived.push(note);
  }
}

/** Two services, each with a database of its own: the sender's relay publishes what the reader's group reads. */
describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'a message that cannot be published', () => {
    const url = server('postgres')!;
    let sender: SpecGround;
    let reader: SpecGround;

    beforeEach(async () => {
      arrived = [];
      [sender, reader] = await Promise.all([SpecGround.at(url), SpecGround.at(url)]);
      const store = reader.store();
      await reader.start(store, reader.transport(kind, store, { [NoteTaken.topic]: 'readers' }), []);
    });
    afterEach(async () => {
      await closeAll();
      await Promise.all([sender.close(), reader.close()]);
    });

    /** The reading service runs, but has no handler before this. */
    const startReader = async (): Promise<void> => {
      const store = reader.store();
      await reader.start(store, reader.twin(kind, store), [Reader]);
    };
    /** One process of the sending service. */
    const startSender = async () => {
      const store = sender.store('pg', 6);
      const transport = reader.twin(kind, reader.store('pg', 3), { maxMessageBytes: 500 });
      const relay = { routeGraceMs: GRACE_MS, pollMs: 200, leaseMs: 1_000 };
      const { outbox, letters } = await sender.start(store, transport, [], { relay });
      const publish = (name: string, { room = 'k', text = '' } = {}) =>
        store.run((transaction) =>
          outbox.within(transaction).publish(NoteTaken, { room, name, text }, { id: `${room} ${name}` }),
        );
      const dead = async (room = 'k'): Promise<string | undefined> => (await letters.list({ key: room, status: ['dead'] }))[0]?.id; // prettier-ignore
      /** People come later than the moment between a burial and its key's parking. */
      const buried = async (room = 'k'): Promise<string> => {
        const parked = () => sender.query(`select from parked_key where key = $1 and state = 'dead'`, [room]);
        const both = async () => (await parked()).length === 1 && (await dead(room)) !== undefined;
        await until(`a letter of ${room}, and its key parked`, both, patient);
        return (await dead(room))!;
      };
      const mend = async (letter: string): Promise<void> => {
        const note = JSON.parse(Buffer.from((await letters.find(letter))!.message.payload).toString()) as Note;
        await letters.edit(letter, { payload: JSON.stringify({ ...note, text: 'shorter' }), ...why });
        expect(await letters.redrive(letter)).toMatchObject({ outcome: 'redriven' });
      };
      return { publish, letters, buried, mend };
    };
    const names = (room = 'k'): string[] => arrived.filter((note) => note.room === room).map(({ name }) => name);
    const waiting = async (): Promise<string[]> =>
      (await sender.query<{ id: string }>('select message_id as id from parked_message order by position')).map(({ id }) => id); // prettier-ignore
    const follow = (count: number) => until(`${count} wait`, async () => (await waiting()).length === count, patient);
    const free = () => until('the key is free', async () => (await waiting()).length === 0, patient);

    /** The key of `a`, which cannot be published, is parked, and `b` waits behind it. */
    const startParked = async () => {
      await startReader();
      const started = await startSender();
      await started.publish('a', { text: TOO_LONG });
      const letter = await started.buried();
      await started.publish('b');
      await follow(2);
      return { ...started, letter };
    };

    it('parks its key at that destination: what comes behind it waits, other keys go on, a redrive goes first', async () => {
      await startReader();
      const { publish, buried, mend } = await startSender();
      await publish('a', { text: TOO_LONG });
      const letter = await buried();
      for (const name of ['b', 'c', 'd']) await publish(name);
      await publish('x', { room: 'other' });
      await follow(4);
      await until('the other key went on', () => names('other').length === 1, patient);
      expect(await waiting()).toEqual(['k a', 'k b', 'k c', 'k d']);
      expect(names()).toEqual([]);
      await mend(letter);
      await until('all arrived', () => names().length === 4, patient);
      await free();
      await publish('e');
      await until('it arrived', () => names().length === 5, patient);
      expect(names()).toEqual(['a', 'b', 'c', 'd', 'e']);
    });

    it('is one letter for a key at a time, whatever of it fails; its followers go on when it is discarded', async () => {
      await startReader();
      const { publish, letters, buried, mend } = await startSender();
      for (const name of ['a', 'b', 'c']) await publish(name, { text: TOO_LONG });
      const letter = await buried();
      await follow(3);
      expect(await letters.list()).toHaveLength(1);
      expect(await waiting()).toEqual(['k a', 'k b', 'k c']);
      await letters.discard(letter, why);
      await mend(await buried()); // b, now that it is the head
      await mend(await buried());
      await free();
      await until('the others arrived', () => names().length === 2, patient);
      expect(names()).toEqual(['b', 'c']);
    });

    it('is parked again when its redrive fails again', async () => {
      const { letters, buried, mend, letter } = await startParked();
      await letters.redrive(letter);
      const again = await buried();
      expect(await waiting()).toEqual(['k a', 'k b']);
      expect(arrived).toEqual([]);
      await mend(again);
      await until('both arrived', () => names().length === 2, patient);
      expect(names()).toEqual(['a', 'b']);
    });

    it('goes on when it is redriven once more that was redriven just before its key was parked', async () => {
      const { letters, buried, mend, letter } = await startParked();
      await sender.query(`update dead_letter set status = 'redriven', settled_at = now()`); // as such a redrive leaves it
      expect(await letters.redrive(letter)).toMatchObject({ outcome: 'redriven' });
      await mend(await buried());
      await until('both arrived', () => names().length === 2, patient);
      expect(names()).toEqual(['a', 'b']);
      expect(await letters.redrive(letter)).toEqual({ outcome: 'settled', status: 'redriven' });
    });

    it('for nobody reads its topic waits with its key until somebody does and it is redriven', async () => {
      const { publish, letters, buried } = await startSender();
      await publish('a');
      const letter = await buried();
      expect((await letters.find(letter))!.reason).toMatch(/^unroutable: /);
      for (const name of ['b', 'c']) await publish(name);
      await follow(3);
      await startReader();
      await letters.redrive(letter);
      await until('all arrived', () => names().length === 3, patient);
      expect(names()).toEqual(['a', 'b', 'c']);
    });

    it('keeps the order of each key, with two relays, while new messages come', async () => {
      await startReader();
      const rooms = ['k', 'l', 'm', 'n'];
      const [one, other] = [await startSender(), await startSender()];
      const each = (name: string, text = '') => Promise.all(rooms.map((room, n) => (n % 2 ? one : other).publish(name, { room, text }))); // prettier-ignore
      await each('0', TOO_LONG);
      const letters = await Promise.all(rooms.map((room) => one.buried(room)));
      for (let n = 1; n <= 5; n++) await each(String(n));
      const mending = Promise.all(letters.map((letter) => other.mend(letter)));
      for (let n = 6; n <= 30; n++) await each(String(n));
      await mending;
      await until('all arrived', () => rooms.every((room) => names(room).length === 31), patient);
      const expected = Array.from({ length: 31 }, (_, n) => String(n));
      for (const room of rooms) expect([room, names(room)]).toEqual([room, expected]);
      await free();
    });
  });
});

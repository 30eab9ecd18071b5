import { silentLogger, type TidingsLogger } from '@tidings/core';
import { Gate, ManualClock, until } from '@tidings/testing';
import type { Confirmation } from './callback.contracts';
import { Confirmer } from './confirmer';

const confirmationOf = (id: string): Confirmation => ({
  id,
  source: 'shop',
  bucket: '2030-05-10',
  type: 'order.placed',
  group: 'packing',
  sentAt: '2030-05-10T12:00:00.000Z',
  at: '2030-05-10T12:00:00.020Z',
  copy: false,
  resent: false,
});

describe('the confirmer', () => {
  let clock: ManualClock;
  let sent: string[][];
  let publish: (ids: string[]) => Promise<void>;

  beforeEach(() => {
    clock = new ManualClock();
    sent = [];
    publish = async (ids) => void sent.push(ids);
  });

  const confirmer = (logger: TidingsLogger = silentLogger) =>
    new Confirmer({
      publish: (_contract, payload) =>
        publish((payload as { confirmations: Confirmation[] }).confirmations.map(({ id }) => id)),
      gatherMs: 20,
      clock,
      logger,
    });

  it('sends what comes within its time as one message', async () => {
    const one = confirmer();
    one.confirm(confirmationOf('a'));
    clock.advance(19);
    one.confirm(confirmationOf('b'));
    expect(sent).toEqual([]);
    clock.advance(1);
    await until('both are sent', () => sent.length > 0);
    one.confirm(confirmationOf('c'));
    clock.advance(20);
    await until('the next is sent', () => sent.length > 1);
    expect(sent).toEqual([['a', 'b'], ['c']]);
  });

  it('sends at once when many wait, and the rest in their own time', async () => {
    const one = confirmer();
    for (let n = 0; n < 201; n++) one.confirm(confirmationOf(String(n)));
    expect(sent.map((ids) => ids.length)).toEqual([200]);
    clock.advance(20);
    await until('the last is sent', () => sent.length === 2);
    expect(sent[1]).toEqual(['200']);
  });

  it('flushes what waits, and resolves when what is under way is out', async () => {
    const gate = new Gate();
    publish = async (ids) => {
      await gate.opened;
      sent.push(ids);
    };
    const one = confirmer();
    one.confirm(confirmationOf('a'));
    let flushed = false;
    const flushing = one.flush().then(() => (flushed = true));
    await Promise.resolve();
    expect(flushed).toBe(false);
    gate.open();
    await flushing;
    expect(sent).toEqual([['a']]);
    expect(clock.sleeping).toBe(0); // nothing keeps the process
  });

  it('tells of what it could not send, and goes on', async () => {
    const warned: object[] = [];
    const one = confirmer({ ...silentLogger, warn: (fields: object) => void warned.push(fields) });
    publish = () => Promise.reject(new Error('away'));
    one.confirm(confirmationOf('a'));
    await one.flush();
    expect(warned).toEqual([expect.objectContaining({ confirmations: 1 })]);
    publish = async (ids) => void sent.push(ids);
    one.confirm(confirmationOf('b'));
    await one.flush();
    expect(sent).toEqual([['b']]); // the first is the recheck's to find
  });
});

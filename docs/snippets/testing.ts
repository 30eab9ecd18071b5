import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TidingsHarness, TidingsTestingModule } from '@tidings/nest-testing';
import '@tidings/nest-testing/jest';
import { DataSource } from 'typeorm';
import { AppModule, Gift, GiftSent, SendGift } from './gift-pipeline';

// The code that docs/testing.md shows: tests of README's application, run by test/docs/testing.unit.spec.ts.

// #region fakes
/** What the application's code finds in place of an EntityManager. What it writes, it writes when the transaction commits. */
const roomCoins = new Map<string, number>();
const kit = TidingsTestingModule.forRoot({
  handles: (transaction) => ({
    manager: {
      save: async () => undefined,
      increment: async (_room: unknown, { id }: { id: string }, _column: string, by: number) =>
        transaction.afterCommit(() => roomCoins.set(id, (roomCoins.get(id) ?? 0) + by)),
    },
  }),
});
// #endregion

const rose: Gift = Object.assign(new Gift(), { id: 'g1', roomId: 'r1', coins: 7 });

describe('the application of README.md', () => {
  let app: INestApplicationContext;
  let harness: TidingsHarness;

  beforeEach(async () => {
    roomCoins.clear();
    // #region boot
    const module = await Test.createTestingModule({ imports: [AppModule, kit] })
      .overrideProvider(DataSource)
      .useValue(kit.dataSource)
      .compile();
    app = await module.init();
    harness = app.get(TidingsHarness);
    // #endregion
  });
  afterEach(() => app.close());

  // #region first-test
  it('gives a room its coins', async () => {
    await app.get(SendGift).send(rose);
    await harness.settled();
    await expect(harness).toHavePublished(GiftSent, { roomId: 'r1', coins: 7 });
    await expect(harness).toHaveHandled(GiftSent, expect.objectContaining({ coins: 7 }));
    const [handled] = await harness.handled(GiftSent, { group: 'ranking' });
    expect(handled?.payload.coins).toBe(7); // typed
    expect(roomCoins.get('r1')).toBe(7);
  });
  // #endregion

  // #region copies
  it('gives them once, though the broker never heard of it', async () => {
    harness.failNext(GiftSent, { at: 'before-acknowledgement' });
    const message = await harness.receive(GiftSent, { roomId: 'r1', coins: 7 }); // from another service
    await harness.settled();
    await harness.redeliver(message);
    await harness.settled();
    expect(harness.attempts(GiftSent).map(({ outcome }) => outcome)).toEqual(['handled', 'absorbed', 'absorbed']);
    expect(roomCoins.get('r1')).toBe(7);
  });
  // #endregion

  // #region time
  it('gives up after five attempts', async () => {
    harness.failNext(GiftSent, { group: 'ranking', times: 5 });
    await harness.receive(GiftSent, { roomId: 'r1', coins: 7 });
    await harness.settled(); // the first attempt failed, the next one is due later
    await expect(harness).not.toHaveBuried(GiftSent);
    await harness.advance('1h'); // each retry at its own time
    await harness.settled();
    await expect(harness).toHaveBuried(GiftSent);
    const [buried] = await harness.buried(GiftSent);
    await harness.deadLetters().redrive(buried!.letter.id);
    await harness.settled();
    expect(roomCoins.get('r1')).toBe(7);
  });
  // #endregion
});

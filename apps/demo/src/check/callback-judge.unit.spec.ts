import { callbackProblems } from './callback-judge';
import type { CallbackFigures } from './callback-round';

const clean: CallbackFigures = {
  dropped: 5,
  dropping: true,
  resends: 7,
  falseAlarms: 2,
  unconfirmed: 0,
  rolledBack: 3,
  never: 3,
  rolledBackInInbox: 0,
  acceptedInInbox: 300,
  wornOut: 0,
};

describe('what is wrong with a callback check', () => {
  it('is nothing when all is confirmed, also where gifts were sent again without need', () => {
    expect(callbackProblems(clean, 100)).toEqual([]);
    expect(callbackProblems({ ...clean, dropping: false, dropped: 0, resends: 0 }, 100)).toEqual([]);
  });

  it.each([
    [{ resends: 4 }, '4 gifts were sent again, of 5 that were dropped'],
    [{ unconfirmed: 1 }, '1 gifts or confirmations of them are open'],
    [{ rolledBackInInbox: 1 }, '1 inboxes know a gift that was rolled back'],
    [{ never: 2 }, 'heard of 2 gifts that never happened, of 3 rolled back'],
    [{ wornOut: 1 }, 'gave 1 gifts up'],
    [{ acceptedInInbox: 0 }, 'inboxes have 0 entries of accepted gifts, expected 300'],
    [{ dropped: 0 }, 'nothing was dropped'],
    [{ rolledBack: 0, never: 0 }, 'no transaction rolled back'],
  ])('is told: %j', (change, problem) => {
    expect(callbackProblems({ ...clean, ...change }, 100)).toEqual([expect.stringContaining(problem)]);
  });
});

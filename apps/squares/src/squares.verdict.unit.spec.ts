import type { Departure } from './member';
import { judge } from './squares.verdict';

const well: Departure = { heard: '14', problem: undefined };
const of = (departures: Record<string, Departure>) => judge('14', new Map(Object.entries(departures)));

describe('the verdict of squares', () => {
  it('is content when everybody heard the sum and left', () => {
    expect(of({ producer: well, summer: well })).toEqual({ sum: '14', problems: [] });
  });

  it.each<[string, Departure, string]>([
    ['heard nothing', { heard: undefined, problem: 'SIGKILL' }, 'squarer-0 did not leave by the broadcast: SIGKILL'],
    [
      'left without a word',
      { heard: undefined, problem: undefined },
      'squarer-0 did not leave by the broadcast: it heard none',
    ],
    ['heard another sum', { heard: '13', problem: undefined }, 'squarer-0 heard the sum 13, expected 14'],
    [
      'did not close',
      { heard: '14', problem: 'exit code 1' },
      'squarer-0 heard the broadcast and did not end well: exit code 1',
    ],
  ])('names who %s', (_, departure, problem) => {
    expect(of({ producer: well, 'squarer-0': departure }).problems).toEqual([problem]);
  });
});

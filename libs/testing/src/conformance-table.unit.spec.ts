import {
  type ConformanceMatrix,
  formatTable,
  type JestReport,
  problemsOf,
  readResults,
  skippedTransports,
} from './conformance-table';

type Test = readonly [kind: string, title: string, status: string];

const report = (...tests: readonly Test[]): JestReport => ({
  testResults: [
    {
      name: 'a.spec.ts',
      message: '',
      assertionResults: [
        { ancestorTitles: ['something else'], title: 'beside it', status: 'failed' },
        ...tests.map(([kind, title, status]) => ({
          ancestorTitles: ['on a server', 'conformance', kind],
          title,
          status,
        })),
      ],
    },
  ],
});

const matrix: ConformanceMatrix = {
  transports: ['memory', 'rabbitmq'],
  behaviours: { received: {}, replayed: { rabbitmq: 'queues keep nothing' } },
};
const good: readonly Test[] = [
  ['memory', 'received', 'passed'],
  ['memory', 'replayed', 'passed'],
  ['rabbitmq', 'received', 'passed'],
  ['rabbitmq', 'replayed · not applicable: no replay: see Streams', 'pending'],
];
const problems = (...tests: readonly Test[]) => problemsOf(matrix, readResults(report(...tests)));
const replacing = (index: number, test?: Test) =>
  problems(...good.flatMap((one, n) => (n !== index ? [one] : test ? [test] : [])));

describe('the conformance table', () => {
  it('prints behaviours × transports and the reasons', () => {
    expect(formatTable(matrix, readResults(report(...good)))).toBe(
      [
        '          memory  rabbitmq',
        'received     ✓        ✓',
        'replayed     ✓        –',
        '',
        '– rabbitmq: replayed: no replay: see Streams',
      ].join('\n'),
    );
  });

  it('has no problem when all is as the matrix says', () => expect(problems(...good)).toEqual([]));

  it.each<[string, string[], string]>([
    ['a failed cell', replacing(0, ['memory', 'received', 'failed']), 'memory: received: failed'],
    ['a cell that was not run', replacing(0), 'memory: received: was not run'],
    ['a skipped test', replacing(0, ['memory', 'received', 'pending']), 'memory: received: was not run'],
    [
      'an unexpected "not applicable"',
      replacing(1, ['memory', 'replayed · not applicable: no', 'pending']),
      'memory: replayed: is required, but not applicable: no',
    ],
    [
      'an exception that is none',
      replacing(3, ['rabbitmq', 'replayed', 'passed']),
      'rabbitmq: replayed: holds; take the exception out of the matrix',
    ],
    [
      'an unknown behaviour',
      problems(...good, ['memory', 'sung', 'passed']),
      'memory: sung: the matrix does not know this behaviour',
    ],
    [
      'an unknown transport',
      problems(...good, ['pigeon', 'received', 'passed']),
      'pigeon: the matrix does not know this transport',
    ],
    ['a transport without a spec', problems(...good.slice(0, 2)), 'rabbitmq: no conformance spec ran'],
  ])('reports %s', (_, found, expected) => expect(found).toEqual([expected]));

  it('tells a transport that was skipped as a whole from one with holes', () => {
    const skipped = good.map(([kind, title, status]): Test => [kind, title, kind === 'rabbitmq' ? 'pending' : status]);
    expect(skippedTransports(readResults(report(...skipped)))).toEqual(['rabbitmq']);
    expect(problems(...skipped)).toEqual([]);
  });
});

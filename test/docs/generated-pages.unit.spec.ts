import type { CapabilityName } from '@tidings/core';
import { choosingPage, roughly } from '../../docs/generator/choosing-page';
import { conformancePage } from '../../docs/generator/conformance-page';
import { GUIDE, KEPT_BY_HAND } from '../../docs/generator/kept-by-hand';
import { pages } from '../../docs/generator/pages';
import { type BenchResult, type ChaosResult, committedResults, type Results } from '../../docs/generator/results';
import { SYSTEMS } from '../../docs/generator/systems';
import { read, readJson } from '../architecture/workspace';

const measured = { command: 'npm run it', date: '2026-01-02' };
const nothing: Results = { behaviours: [], conformance: {}, chaos: {}, bench: {} };
const chaos: ChaosResult = {
  ...measured,
  sent: 30,
  rolledBack: 10,
  delivered: 45,
  duplicatesDelivered: 5,
  duplicatesApplied: 1,
  appliedThoughRolledBack: 0,
  lost: 2,
  invented: 0,
  outOfOrder: 4,
  faults: { kill: 2, cut: 1 },
  excluded: ['halt of kafka: no java'],
  ok: false,
};
const line = (page: string, start: string): string | undefined =>
  page.split('\n').find((text) => text.startsWith(start));

describe('the generated pages', () => {
  it.each(Object.entries(pages(committedResults())))('%s is what the committed results make: npm run docs:generate', (path, page) => {
    expect(read(path)).toBe(page);
  }); // prettier-ignore

  it('have every transport of the required matrix, and what is kept by hand of it', () => {
    const { transports } = readJson<{ transports: string[] }>('test/conformance.json');
    expect(Object.keys(SYSTEMS)).toEqual(transports);
    expect(Object.keys(KEPT_BY_HAND)).toEqual(transports);
  });

  it('come from runs of every transport, each cell as it is required', () => {
    const { conformance, chaos: runs, behaviours } = committedResults();
    const { transports } = readJson<{ transports: string[] }>('test/conformance.json');
    expect(Object.keys(conformance).sort()).toEqual([...transports].sort());
    for (const { passed, failed, notApplicable } of Object.values(conformance)) {
      expect(failed).toEqual([]);
      expect([...passed, ...Object.keys(notApplicable)].sort()).toEqual([...behaviours].sort());
    }
    expect(Object.keys(runs).sort()).toEqual(transports.filter((kind) => kind !== 'memory').sort());
    expect(Object.values(runs).map(({ ok }) => ok)).not.toContain(false);
  });

  it('recommend only what has the power that is needed', () => {
    const lacking = GUIDE.flatMap(({ need, having = [], take }) =>
      take.flatMap((kind) =>
        having
          .filter((name: CapabilityName) => SYSTEMS[kind]!.capabilities[name] !== true)
          .map((name) => `${need}: ${kind} has no ${name}`),
      ),
    );
    expect(lacking).toEqual([]);
  });

  it('tell what failed, what does not apply, with its reason, and what was not run', () => {
    const column = { ...measured, passed: ['a'], failed: ['b'], notApplicable: { c: 'no section of it', d: 'no section of it' } }; // prettier-ignore
    const page = conformancePage({ ...nothing, behaviours: ['a', 'b', 'c', 'd', 'e'], conformance: { kafka: column } });
    const cells = ['a', 'b', 'c', 'd', 'e'].map((name) => line(page, `| ${name} |`)?.split(' | ')[5]);
    expect(cells).toEqual(['●', '✗', '–', '–', '?']);
    expect(page).toContain('- **Kafka**, “c”, “d”: no section of it.');
    expect(page).toContain('| Kafka | 1 | 2 | 1 | `npm run it` | 2026-01-02 |');
  });

  it('tell a chaos run with its faults and its failures', () => {
    const page = choosingPage({ ...nothing, chaos: { kafka: chaos } });
    expect(line(page, '| reliability |')).toContain('durable; 20 messages under 3 faults: 7 lost, doubled or swapped');
    expect(line(page, '| Kafka | 30')).toBe('| Kafka | 30 | 45 | 5 | 3 | 2 | 1 | 0 | 4 | **no** | `npm run it` | 2026-01-02 |'); // prettier-ignore
    expect(page).toContain('- **Kafka** without halt of kafka: no java.');
  });

  it('take whatever rows the bench has, by the name of the system, to one digit', () => {
    const drain: BenchResult = {
      ...measured,
      row: 'relay drains to Redis',
      figures: [
        { name: 'log → relay → Redis', perSecond: 12_753, ratio: 1 },
        { name: 'XADD', perSecond: 29_400, ratio: 0.43 },
      ],
    };
    const latencies: BenchResult = {
      ...measured,
      row: 'latency',
      figures: [
        { name: 'relay → Kafka, one process', p50Ms: 1.74 },
        { name: 'by hand, Kafka', p50Ms: 0.85 },
      ],
    };
    const page = choosingPage({ ...nothing, bench: { drain, latencies } });
    const redis = line(page, '| throughput |')?.split(' | ')[4];
    expect(redis).toBe('relay drains to Redis: some 10,000/s, × 0.43 of XADD');
    expect(line(page, '| latency at 200/s |')?.split(' | ')[5]).toBe(
      'relay → Kafka, one process: half within some 2 ms',
    );
    expect(line(page, '|  | XADD')).toBe('|  | XADD | some 30,000/s | × 0.43 |  |  |');
    expect([0, 0.66, 0.96, 1.02, 94, 96, 4_449].map(roughly)).toEqual(['0', '0.7', '1', '1', '90', '100', '4,000']);
  });
});

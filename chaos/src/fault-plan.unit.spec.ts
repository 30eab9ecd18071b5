import { planFaults } from './fault-plan';

const options = { seed: 1, transport: 'rabbitmq', seconds: 60, processes: ['a', 'b', 'c'], leaseMs: 1_000 } as const;

describe('planFaults', () => {
  it('repeats a seed, and only that one', () => {
    expect(planFaults(options)).toEqual(planFaults({ ...options }));
    expect(planFaults(options)).not.toEqual(planFaults({ ...options, seed: 2 }));
  });

  it('begins a longer run like a shorter one', () => {
    const short = planFaults({ ...options, seconds: 20 });
    expect(planFaults(options).slice(0, short.length)).toEqual(short);
  });

  it('draws every kind and every process within the time, and stops longer than a lease', () => {
    const faults = planFaults({ ...options, seconds: 300 });
    expect([...new Set(faults.map(({ kind }) => kind))].sort()).toEqual([
      'cut',
      'down',
      'halt',
      'kill',
      'stall',
      'stop',
      'terminate',
    ]);
    expect(new Set(faults.map((fault) => ('process' in fault ? fault.process : 'a')))).toEqual(
      new Set(options.processes),
    );
    expect(faults.every(({ atMs }) => atMs < 300_000)).toBe(true);
    expect(faults.every((fault) => fault.kind !== 'stop' || fault.forMs > options.leaseMs)).toBe(true);
  });

  it('leaves the broker out where there is none', () => {
    const wires = planFaults({ ...options, transport: 'postgres', seconds: 300 }).flatMap((fault) =>
      'wire' in fault ? [fault.wire] : [],
    );
    expect(new Set(wires)).toEqual(new Set(['postgres']));
  });
});

import { demoOptions } from './demo.options';

const read = (line: string) => demoOptions(line.split(' ').filter(Boolean), {});

describe("the demo's command line", () => {
  let said: string;

  beforeEach(() => {
    said = '';
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
    jest.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`left with ${code}`);
    });
  });
  afterEach(() => jest.restoreAllMocks());

  it('shows the page on PostgreSQL, without rechecks, when nothing is said', () => {
    expect(read('')).toMatchObject({ transport: 'postgres', check: undefined, callback: false, drop: undefined });
  });

  it.each(['rabbitmq', 'postgres', 'redis', 'kafka'])(
    'checks by the callback scheme, with losses, on %s',
    (transport) => {
      const options = read(`--check 2000 --callback --drop 0.05 --transport ${transport}`);
      expect(options).toMatchObject({ transport, check: 2_000, callback: true, drop: 0.05, seed: 1 });
    },
  );

  it('shows the page with rechecks, or checks them without losses', () => {
    expect(read('--callback')).toMatchObject({ check: undefined, callback: true, drop: undefined });
    expect(read('--check --callback')).toMatchObject({ check: 2_000, callback: true, drop: undefined });
    expect(read('--gifts gifts.ndjson --callback --drop 0.5')).toMatchObject({ callback: true, drop: 0.5 });
  });

  it.each([
    ['--drop 0.05', '--drop needs --check and --callback'],
    ['--callback --drop 0.05', '--drop needs --check and --callback'],
    ['--check --drop 0.05', '--drop needs --check and --callback'],
    ['--check --callback --drop 0', 'expected a share above 0, up to 0.5'],
    ['--check --callback --drop 0.6', 'expected a share above 0, up to 0.5'],
    ['--check --callback --drop 5%', 'expected a share above 0, up to 0.5'],
    ['--check --callback --poison 0.02', '--poison goes without --callback'],
    ['--check 0', 'expected a whole number from 1'],
    ['--transport carrier-pigeon', 'Allowed choices are postgres, rabbitmq'],
    ['--sabotage no-inbox', '--sabotage needs --check'],
  ])('refuses %s', (line, problem) => {
    expect(() => read(line)).toThrow('left with 1');
    expect(said).toContain(problem);
  });

  it('reads addresses from the environment, and leaves empty ones out', () => {
    const env = { KAFKA_URL: 'kafka://broker:9092', REDIS_URL: '', DATABASE_URL: 'postgres://db/gifts' };
    expect(demoOptions(['--transport', 'kafka'], env)).toMatchObject({ brokerUrl: env.KAFKA_URL, databaseUrl: env.DATABASE_URL }); // prettier-ignore
    expect(demoOptions(['--transport', 'redis'], env)).toMatchObject({ brokerUrl: 'redis://127.0.0.1:6379' });
  });
});

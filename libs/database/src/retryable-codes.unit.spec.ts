import { isRetriable } from './retryable-codes';

describe('isRetriable', () => {
  const coded = (code: string, cause?: Error): Error => Object.assign(new Error('x', { cause }), { code });

  it.each(['40001', '40P01', '55P03', '57P01', '08006', '53300', 'ECONNRESET'])('%s is', (code) =>
    expect(isRetriable(coded(code))).toBe(true),
  );
  it.each(['23505', '42P01', '22012', 'ENOENT', '08'.padEnd(6, '0')])('%s is not', (code) =>
    expect(isRetriable(coded(code))).toBe(false),
  );
  it('sees causes and errors without a code', () => {
    expect(isRetriable(coded('X', coded('40001')))).toBe(true);
    expect(isRetriable(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isRetriable('Connection terminated')).toBe(false);
  });
});

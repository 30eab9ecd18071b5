import { asError, CapabilityError, NonRetriableError, NotInTransactionError, TidingsError } from './errors';
import { errorChain } from './reliability/dead-letter-sink';

describe('errors', () => {
  it('have the name of their class, a stable code and their cause', () => {
    const cause = new Error('cause');
    const error = new NonRetriableError('no', { cause });
    expect(error).toBeInstanceOf(TidingsError);
    expect({ ...error, name: error.name, cause: error.cause }).toEqual({
      name: 'NonRetriableError',
      code: 'TIDINGS_NON_RETRIABLE',
      cause,
    });
  });

  it('tell subject, expected, found and the way out', () => {
    expect(new CapabilityError('mqtt', 'delay', 'use the due-later table').message).toBe(
      'transport mqtt has no delay; use the due-later table',
    );
    expect(new NotInTransactionError('a Pool').message).toMatch(/expected .* found a Pool; publish inside/);
  });

  it('are made of whatever was thrown, also of what cannot be printed', () => {
    const error = new RangeError('x');
    expect(asError(error)).toBe(error);
    const unprintable: unknown[] = ['text', 7, undefined, null, Symbol('s'), Object.create(null)];
    expect(unprintable.map((thrown) => asError(thrown).message.replace('a non-error was thrown: ', ''))).toEqual([
      'text',
      '7',
      'undefined',
      'null',
      'Symbol(s)',
      '[object Object]',
    ]);
    expect(asError('text')).toMatchObject({ code: 'TIDINGS_THROWN', cause: 'text' });
  });

  it('are kept by a dead letter with their causes, outermost first, and never for ever', () => {
    const inner = new TypeError('inner');
    const outer = new Error('outer', { cause: inner });
    expect(errorChain(outer).map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'Error: outer',
      'TypeError: inner',
    ]);
    inner.cause = outer;
    expect(errorChain(outer)).toHaveLength(10);
  });
});

import { z } from 'zod';
import { OptionsError } from './errors';
import { parseOptions } from './options';

const schema = z.strictObject({
  prefetch: z.number().int().positive().default(20),
  queues: z.array(z.object({ name: z.string() })).default([]),
});

describe('options', () => {
  it('come back with their defaults', () => {
    expect(parseOptions('rabbitmq', schema, { prefetch: 5 })).toEqual({ prefetch: 5, queues: [] });
  });

  it.each([
    [{ prefetch: 0 }, 'rabbitmq.prefetch'],
    [{ queues: [{ name: 'a' }, {}] }, 'rabbitmq.queues.1.name'],
    [{ prefetsch: 1 }, 'rabbitmq'],
    [undefined, 'rabbitmq'],
  ])('%j are refused with the path %s', (input, path) => {
    const parse = (): unknown => parseOptions('rabbitmq', schema, input);
    expect(parse).toThrow(OptionsError);
    expect(parse).toThrow(
      expect.objectContaining({ code: 'TIDINGS_OPTIONS', path, message: expect.stringMatching(`^${path}: .`) }),
    );
  });

  it('need a schema that answers at once, as constructors cannot wait', () => {
    const slow = z.string().refine(async () => true);
    const own = {
      '~standard': { version: 1 as const, vendor: 'own', validate: async (value: unknown) => ({ value }) },
    };
    expect(() => parseOptions('x', own, 'a')).toThrow('x: an options schema must be synchronous');
    expect(() => parseOptions('x', slow, 'a')).toThrow('x: an options schema must be synchronous');
  });
});

import { OptionsError } from '@tidings/core';
import { checkStoreOptions } from './store-options';

describe('checkStoreOptions', () => {
  it('has defaults', () => expect(checkStoreOptions('pg', {})).toMatchObject({ schema: 'tidings', connections: 4 }));

  it.each([
    ['pg.schema', { schema: '' }],
    ['pg.schema', { schema: 'x'.repeat(64) }],
    ['pg.connections', { connections: 0 }],
    ['pg.connections', { connections: 1.5 }],
  ])('names %s in %j', (path, options) => {
    expect(() => checkStoreOptions('pg', options)).toThrow(OptionsError);
    expect(() => checkStoreOptions('pg', options)).toThrow(path);
  });
});

import { MessagingConfigurationError, namesOf } from './messaging.errors';

/**
 * The store that is meant: the one named, else `default`, else the only one.
 *
 * @throws MessagingConfigurationError when that one does not exist, or two or more could be meant.
 */
export function storeNamed(subject: string, stores: readonly string[], name?: string): string {
  const fail = (expected: string): never => {
    throw new MessagingConfigurationError(subject, expected);
  };
  if (name !== undefined) {
    return stores.includes(name)
      ? name
      : fail(`expected a store of messaging.stores (${namesOf(stores)}), found "${name}"`);
  }
  if (stores.includes('default')) return 'default';
  const [only, ...others] = stores;
  if (only === undefined)
    return fail('expected a store, found none; add one to messaging.stores, as { default: typeorm(dataSource) }');
  if (others.length === 0) return only;
  return fail(
    `expected one store, found several (${namesOf(stores)}) and none called "default"; name the one that is meant`,
  );
}

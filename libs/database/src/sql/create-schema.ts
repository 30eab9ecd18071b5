import { quoted, type Queryable, type Store } from '@tidings/core';

/** Without `if not exists`, which needs the right to create even where the schema is there: an owner may have made it for a lesser role. */
export const createSchema = (on: Queryable, { schema }: Pick<Store, 'schema'>): Promise<unknown> =>
  on.query({ text: `create schema ${quoted(schema)}` });

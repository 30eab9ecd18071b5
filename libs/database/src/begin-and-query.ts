import type { Statement } from '@tidings/core';
import { type Connection, type PoolClient, Query, type QueryResult } from 'pg';

/** What pg's types leave out of Query and Connection; all of it is what pg-cursor and pg-query-stream are built on. */
interface Wire extends Connection {
  readonly submittedNamedStatements?: Record<string, string>;
  parse(statement: { text: string }): void;
  bind(portal: object): void;
  execute(portal: object): void;
}
interface Inner {
  prepare(connection: Wire): void;
  handleCommandComplete(answer: unknown, connection: Wire): void;
  handleError(error: Error, connection: Wire): void;
}
const inner = Query.prototype as unknown as Inner;

/**
 * A statement with a BEGIN before it, in one write and up to one Sync: the server answers once for both, so the transaction costs a round trip less.
 *
 * pg takes each ParseComplete for the query's own and remembers its name as parsed. The first one is BEGIN's, and a statement that then fails to
 * parse would be remembered although the server has none of that name; so this query has its name only once BEGIN is done.
 */
class BeginningQuery extends Query {
  name: string | undefined;
  readonly queryMode = 'extended';
  #begun = false;
  #ownName: string | undefined;

  constructor({ text, values = [], name }: Statement, prepared: boolean) {
    super(text, [...values]); // by a text, not by a config: pg would clone that, property by property
    this.name = prepared ? name : undefined;
  }

  prepare(connection: Wire): void {
    connection.parse({ text: 'begin' });
    connection.bind({});
    connection.execute({});
    inner.prepare.call(this, connection);
    this.#ownName = this.name;
    this.name = undefined;
  }

  handleCommandComplete(answer: unknown, connection: Wire): void {
    if (this.#begun) return inner.handleCommandComplete.call(this, answer, connection);
    this.#begun = true;
    this.name = this.#ownName;
  }

  handleError(error: Error, connection: Wire): void {
    // BEGIN itself failed: the server skipped what came behind it.
    if (!this.#begun && this.#ownName !== undefined) delete connection.submittedNamedStatements?.[this.#ownName];
    inner.handleError.call(this, error, connection);
  }
}

/**
 * Begins a transaction and runs its first statement, in one round trip. When it rejects, the transaction may be open all the same: roll back.
 *
 * @param prepared Whether a statement that has a name is prepared by it; not behind a transaction-mode pooler.
 */
export function beginAndQuery(client: PoolClient, statement: Statement, prepared = true): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    const callback = (error: Error | null, result: QueryResult): void => (error ? reject(error) : resolve(result));
    const query = client.query.bind(client) as unknown as (query: BeginningQuery, done: typeof callback) => void;
    query(new BeginningQuery(statement, prepared), callback);
  });
}

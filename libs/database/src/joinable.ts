/** The part of nestjs-cls's TransactionalAdapter that matters here, by its shape: Tidings does not depend on it. */
export interface AdapterToJoin {
  optionsFactory: (connection: never, extraProviders: never) => object;
}

type Wrap = (
  options: JoinOptions | undefined,
  work: () => Promise<unknown>,
  setTx: (tx: unknown) => void,
) => Promise<unknown>;

/** An option of a transaction that says: begin none, this one is open. A symbol, so that it can meet no option of an ORM's. */
export const JOIN = Symbol('tidings.join');
export interface JoinOptions {
  readonly [JOIN]?: unknown;
}

/**
 * Makes an adapter of nestjs-cls's transactional plugin able to take over a transaction that is open already, the one a handler runs in:
 * `adapter: joinable(new TransactionalAdapterTypeOrm({ dataSourceToken: DataSource }))`. What `@Transactional()` itself asks of it stays as it was.
 */
export function joinable<Adapter extends AdapterToJoin>(adapter: Adapter): Adapter {
  const make = adapter.optionsFactory.bind(adapter);
  adapter.optionsFactory = (connection, extraProviders) => {
    const options = make(connection, extraProviders) as { wrapWithTransaction: Wrap };
    const begin = options.wrapWithTransaction.bind(options);
    const wrapWithTransaction: Wrap = async (wanted, work, setTx) => {
      if (wanted?.[JOIN] === undefined) return begin(wanted, work, setTx);
      setTx(wanted[JOIN]);
      return work();
    };
    return { ...options, wrapWithTransaction };
  };
  return adapter;
}

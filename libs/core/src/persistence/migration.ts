/** One step of a package's tables. Applied once, in the order of its ids; never changed after a release. */
export interface Migration {
  /**
   * `<package>/<four digits>-<what it does>`, as `postgres-log/0001-create-log`. A migration after which the version before it cannot work any more
   * has a `!` behind its number, as `inbox/0004!-drop-buckets`: a process that does not know it refuses to start. All others only add.
   */
  readonly id: string;
  /** The SQL, for a schema name that is already quoted. */
  readonly up: (schema: string) => string;
}

/** Every schema has this, whatever packages it holds: all SQL of Tidings takes its time from `now()`, so that tests can shift it for a cluster. */
export const createClock: Migration = {
  id: 'core/0001-create-clock',
  up: (schema) => `
    create function ${schema}.now() returns timestamptz language sql volatile parallel safe as 'select clock_timestamp()';`,
};

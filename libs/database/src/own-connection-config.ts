import type { PoolConfig } from 'pg';

/**
 * Tidings' plans must not depend on statistics: its tables go from empty to millions of rows and back within minutes, and ANALYZE comes late. Each
 * statement is written for one index, so the planner is told to take it.
 */
const PLANNER_SETTINGS = '-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off';

/** Kernel probes start after this; Node then sends 10, a second apart: a dead peer is noticed within about 20 s. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** Tidings' own statements take milliseconds. One that is not answered by then stands on a half-open connection, which the pool then drops. */
const QUERY_WITHIN_MS = 60_000;

/** What a connection string says wins over all else in pg, so what we add has to go in there as well. */
function withParameters(connectionString: string, parameters: Readonly<Record<string, string>>): string {
  if (!URL.canParse(connectionString)) return connectionString;
  const url = new URL(connectionString);
  for (const [name, value] of Object.entries(parameters))
    if (url.searchParams.has(name)) url.searchParams.set(name, value);
  return url.toString();
}

const parameterOf = (connectionString: string | undefined, name: string): string | undefined =>
  connectionString && URL.canParse(connectionString)
    ? (new URL(connectionString).searchParams.get(name) ?? undefined)
    : undefined;

/** The user's connection settings, made fit for Tidings' own connections: what the user set stays, unless Tidings depends on it. */
export function ownConnectionConfig(user: PoolConfig, connections: number): PoolConfig {
  const { connectionString } = user;
  // Without `options` pg would take PGOPTIONS; with ours it does not, so they are joined here. The last setting wins in PostgreSQL.
  const userOptions = parameterOf(connectionString, 'options') ?? user.options ?? process.env['PGOPTIONS'];
  const userName =
    parameterOf(connectionString, 'application_name') ?? user.application_name ?? process.env['PGAPPNAME'];
  const options = [userOptions, PLANNER_SETTINGS].filter(Boolean).join(' ');
  const application_name = userName ? `${userName} (tidings)` : 'tidings';
  return {
    ...user,
    // pg-pool hides these two from enumeration, a spread misses them.
    ...(user.password !== undefined && { password: user.password }),
    ...(user.ssl !== undefined && { ssl: user.ssl }),
    ...(connectionString && { connectionString: withParameters(connectionString, { options, application_name }) }),
    options,
    application_name,
    max: connections,
    min: 0,
    query_timeout: user.query_timeout ?? QUERY_WITHIN_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  };
}

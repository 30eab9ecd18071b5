/** The SQLSTATE of a database error, its own or (as some ORMs wrap them) its cause's. Undefined when it is none. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++) {
    if ('code' in current && typeof current.code === 'string' && /^[0-9A-Z]{5}$/.test(current.code)) {
      return current.code;
    }
  }
  return undefined;
}

export const SQL_STATE = {
  /** lock_not_available: `lock_timeout` passed. */
  lockTimeout: '55P03',
  undefinedTable: '42P01',
} as const;

/** Class 22, data exception: the values are at fault and will be so again. */
export const isDataException = (state: string | undefined): boolean => state?.startsWith('22') === true;

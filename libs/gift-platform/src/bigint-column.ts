import type { ValueTransformer } from 'typeorm';

/** pg hands out bigint as text. Sums of minor units fit a double's 53 bits up to 90,071,992,547,409.91 of a currency, far past any gift. */
export const bigintColumn: ValueTransformer = {
  to: (value: number) => value,
  from: (value: string) => Number(value),
};

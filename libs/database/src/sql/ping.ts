import type { Statement } from '@tidings/core';

/** Does the server answer? */
export const ping: Statement = { text: 'select 1' };

import type { Statement } from '@tidings/core';

/** Asks nothing but whether the server answers. */
export const askForLife: Statement = { text: 'select 1' };

import type { Statement } from '@tidings/core';

/** Does the server answer, and have the start-up settings of `ownConnectionConfig` reached it? One of them stands for all. */
export const checkSettings: Statement = { text: "select current_setting('enable_seqscan') = 'off' as carried" };

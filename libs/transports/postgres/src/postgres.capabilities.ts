import type { Capabilities } from '@tidings/core';

/** PostgreSQL documentation: "Reliability and the Write-Ahead Log", "NOTIFY". */
export const POSTGRES_CAPABILITIES: Capabilities = Object.freeze({
  durable: true,
  ordered: true,
  broadcast: true,
  delay: true,
  unroutable: true,
  attempts: 'an attempt is written when it ends: a consumer that died took the count of its last one along',
  replay: true,
  deadLetters: true,
  largePayload: true,
  processes: true,
});

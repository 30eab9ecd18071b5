import type { Migration } from '@tidings/core';

/** Requests that a sender has answered, by the bucket of their signature's date: none is answered twice, in whatever process it comes again. */
export const createNonces: Migration = {
  id: 'callback/0002-create-nonces',
  up: (s) => `
    create table ${s}.callback_nonce (
      bucket date not null,
      digest bytea not null, -- of key id and nonce
      primary key (digest, bucket)
    ) partition by list (bucket);`,
};

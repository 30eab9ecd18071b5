import type { MessageContract } from '@tidings/core';

/** A transport, by the name it has in this application. The topic is the contract's. */
export interface Destination {
  readonly transport: string;
}

/** The transports that a contract's messages go to. @throws when no route fits: at publish that is the caller's mistake. */
export type Routes = (contract: Pick<MessageContract, 'type' | 'topic'>) => readonly Destination[];

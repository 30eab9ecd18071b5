import {
  checksumMiddleware,
  defineMessage,
  dispatcher,
  fixed,
  type HandlerDefinition,
  type Receive,
  retryMiddleware,
  silentLogger,
  systemClock,
} from '@tidings/core';
import type { Scene } from './scene';

const anything = { '~standard': { version: 1 as const, vendor: 'tidings', validate: (value: unknown) => ({ value }) } };

/** A handler below the part of the real chain that core owns: retries by a policy of three attempts, and the checksum. */
export function conformanceHandler(scene: Scene, invoke: HandlerDefinition['invoke']): Receive {
  const handler: HandlerDefinition = {
    name: 'Conformance.handle',
    contract: defineMessage('gift.sent', { schema: anything }),
    subscription: scene.subscription(),
    transport: scene.harness.kind,
    store: 'default',
    level: 'atLeastOnce',
    retry: fixed({ attempts: 3, immediate: 0, delayMs: 0 }),
    invoke,
  };
  return dispatcher(handler, [retryMiddleware(systemClock), checksumMiddleware], silentLogger);
}

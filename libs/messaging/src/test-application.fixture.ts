import type { DynamicModule, INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { defineMessage, fixed, silentLogger } from '@tidings/core';
import { memory, MemoryBroker } from '@tidings/memory';
import { z } from 'zod';
import { MessagingModule } from './messaging.module';
import type { MessagingOptions } from './messaging.options';

export const GiftSent = defineMessage('gift.sent', {
  schema: z.object({ room: z.string(), coins: z.number() }),
  key: ({ room }) => room,
});
export const RoomClosed = defineMessage('room.closed', { schema: z.object({ room: z.string() }) });

export interface Gift {
  room: string;
  coins: number;
}

export const rose: Gift = { room: 'r1', coins: 7 };

/** Retries at once, without a wait: specs need not be patient. */
export const eager = (attempts: number) => fixed({ attempts, immediate: 0, delayMs: 0 });

/** Options without a database: one memory transport. */
export const inMemory = (more: Partial<MessagingOptions> = {}): MessagingOptions => ({
  source: 'spec',
  transports: { main: memory({ broker: new MemoryBroker() }) },
  logger: silentLogger,
  ...more,
});

const running = new Set<INestApplicationContext>();

/** Boots an application with these parts; `closeAll` ends it. */
export async function boot(
  options: Partial<MessagingOptions> | DynamicModule,
  { imports = [], ...parts }: ModuleMetadata = {},
): Promise<INestApplicationContext> {
  const messaging = 'module' in options ? options : MessagingModule.forRoot(inMemory(options));
  const testing = await Test.createTestingModule({ imports: [messaging, ...imports], ...parts }).compile();
  await testing.init();
  running.add(testing);
  return testing;
}

export async function closeAll(): Promise<void> {
  for (const app of running) await app.close();
  running.clear();
}

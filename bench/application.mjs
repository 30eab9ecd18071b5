// A Nest application as a user would write it, without a compiler: decorators are called as the functions they are.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { silentLogger } from '@tidings/core';
import { getOutboxToken, MessagingModule, OnMessage } from '@tidings/messaging';
import { GiftSent } from './gift.mjs';

/** `handle(gift, context)` undefined: publishes and relays only. `decorate`: `OnMessage` or `OnMessages`. */
export async function startApplication({ messaging, handle, handlerOptions, decorate = OnMessage }) {
  class GiftHandler {
    handle(gift, context) {
      return handle(gift, context);
    }
  }
  const provided = handle ? [GiftHandler] : [];
  if (handle) {
    const descriptor = Object.getOwnPropertyDescriptor(GiftHandler.prototype, 'handle');
    decorate(GiftSent, handlerOptions)(GiftHandler.prototype, 'handle', descriptor);
  }
  Injectable()(GiftHandler);
  class BenchModule {}
  Module({
    imports: [MessagingModule.forRoot({ source: 'bench', logger: silentLogger, ...messaging })],
    providers: provided,
  })(BenchModule);
  const app = await NestFactory.createApplicationContext(BenchModule, { logger: ['error'], abortOnError: false });
  app.enableShutdownHooks([]);
  return { close: () => app.close(), outbox: app.get(getOutboxToken(), { strict: false }) };
}

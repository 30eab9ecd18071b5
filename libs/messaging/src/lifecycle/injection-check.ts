import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { RecheckingPublisher } from '@tidings/callback';
import { Outbox } from '@tidings/outbox';
import { getDeadLettersToken } from '../decorators/inject-dead-letters.decorator';
import { RESENDER } from '../callback/inject-resender.decorator';
import { MessagingConfigurationError } from '../messaging.errors';
import { getReclaimToken } from '../decorators/inject-reclaim.decorator';
import { getOutboxToken } from '../decorators/inject-outbox.decorator';
import type { HandlerWrapper } from '../handling/handler-invoker';
import { MessagingRuntime } from '../messaging-runtime';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';

// Nest's own keys, by value: `@nestjs/common/constants` is no public path.
const PARAMETERS = ['self:paramtypes', 'design:paramtypes'] as const;
const PROPERTIES = 'self:properties_metadata';

const UNNAMED = new Set<unknown>([
  getOutboxToken(),
  getDeadLettersToken(),
  getReclaimToken(),
  Outbox,
  ApplicationDeadLetters,
]);

/**
 * Fails the boot of an application that injects the outbox or the dead letters without a name while it is not clear of which store. An application
 * without a store that injects neither boots, which is why their providers cannot simply throw.
 */
@Injectable()
export class InjectionCheck {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly runtime: MessagingRuntime,
  ) {}

  /** @throws MessagingConfigurationError that names the class. */
  check(): void {
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      if (
        !this.runtime.callback &&
        !wrapper.isAlias &&
        injected(wrapper).some((token) => token === RecheckingPublisher || token === RESENDER)
      )
        throw new MessagingConfigurationError(
          String(wrapper.name),
          'expected messaging.callback, for it injects what takes part in it; found none',
        );
      if (wrapper.isAlias || !injected(wrapper).some((token) => UNNAMED.has(token))) continue;
      this.runtime.storeFor(`${wrapper.name}, which injects an outbox, dead letters or reclaim`);
    }
  }
}

function injected({ metatype, isNotMetatype, inject }: HandlerWrapper): unknown[] {
  if (inject) return inject;
  if (isNotMetatype || typeof metatype !== 'function') return [];
  const [declared = [], types = []] = PARAMETERS.map(
    (key) => Reflect.getMetadata(key, metatype) as unknown[] | undefined,
  );
  const properties = (Reflect.getMetadata(PROPERTIES, metatype) ?? []) as { type: unknown }[];
  return [...types, ...declared.map((one) => (one as { param: unknown }).param), ...properties.map(({ type }) => type)];
}

import { Inject, type InjectionToken } from '@nestjs/common';

/** The token of a store's outbox; without a name, of the store `default` or the only one. */
export const getOutboxToken = (store?: string): InjectionToken =>
  store === undefined
    ? 'Tidings outbox'
    : `Tidings outbox of store "${store}" (named in forRoot's stores or in forRootAsync's storeNames)`;

/** Injects the outbox of a store: `outbox.within(manager).publish(GiftSent, { … })`. */
export const InjectOutbox = (store?: string): PropertyDecorator & ParameterDecorator => Inject(getOutboxToken(store));

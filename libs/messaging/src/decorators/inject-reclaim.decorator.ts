import { Inject, type InjectionToken } from '@nestjs/common';

/** The token of a store's reclaim scheduler; without a name, of the store `default` or the only one. */
export const getReclaimToken = (store?: string): InjectionToken =>
  store === undefined
    ? 'Tidings reclaim'
    : `Tidings reclaim of store "${store}" (named in forRoot's stores or in forRootAsync's storeNames)`;

/** Injects the reclaim scheduler of a store (ReclaimScheduler): run now, and what the last run did. */
export const InjectReclaim = (store?: string): PropertyDecorator & ParameterDecorator => Inject(getReclaimToken(store));

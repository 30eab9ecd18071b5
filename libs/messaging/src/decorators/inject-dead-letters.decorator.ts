import { Inject, type InjectionToken } from '@nestjs/common';

/** The token of a store's dead letters; without a name, of the store `default` or the only one. */
export const getDeadLettersToken = (store?: string): InjectionToken =>
  store === undefined
    ? 'Tidings dead letters'
    : `Tidings dead letters of store "${store}" (named in forRoot's stores or in forRootAsync's storeNames)`;

/** Injects the dead letters of a store (ApplicationDeadLetters): list, find, redrive. */
export const InjectDeadLetters = (store?: string): PropertyDecorator & ParameterDecorator =>
  Inject(getDeadLettersToken(store));

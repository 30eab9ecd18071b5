import { Inject, type InjectionToken } from '@nestjs/common';

/** The token of what answers the callback service in the sender's own service. */
export const RESENDER: InjectionToken = 'Tidings resender';

/** Injects what answers the callback service here (SenderResender): for a way to be asked that is not request-reply, as an HTTP controller. */
export const InjectResender = (): PropertyDecorator & ParameterDecorator => Inject(RESENDER);

import { Inject } from '@nestjs/common';
import { MessagePublisher } from '../publishing/message-publisher';

/** Injects the publisher that goes straight to the transports, without an outbox. */
export const InjectPublisher = (): PropertyDecorator & ParameterDecorator => Inject(MessagePublisher);

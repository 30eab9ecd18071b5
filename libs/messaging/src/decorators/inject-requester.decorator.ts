import { Inject } from '@nestjs/common';
import { MessageRequester } from '../publishing/message-requester';

/** Injects what asks and waits for an answer: `requester.request(Contract, payload, { timeoutMs })`. */
export const InjectRequester = (): PropertyDecorator & ParameterDecorator => Inject(MessageRequester);

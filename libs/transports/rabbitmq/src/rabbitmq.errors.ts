import { TidingsError } from '@tidings/core';

/** No address answered: a deployment's mistake, or the broker is down. */
export class RabbitMqConnectError extends TidingsError {
  constructor(attempts: readonly { readonly address: string; readonly error: Error }[]) {
    super(
      'TIDINGS_RABBITMQ_CONNECT',
      `rabbitmq: expected an answer from one of ${attempts.length} address(es), found ` +
        `${attempts.map(({ address, error }) => `${address}: ${error.message || error.name}`).join('; ')}; check urls, user and virtual host`,
      { cause: attempts.at(-1)?.error },
    );
  }
}

/** The group exists at the broker in another shape: a key would change its queue, and lose its order, while messages wait. */
export class GroupShapeError extends TidingsError {
  constructor(
    readonly topic: string,
    readonly group: string,
    /** 0: unordered. */
    readonly expected: number,
    found: string,
  ) {
    super(
      'TIDINGS_RABBITMQ_GROUP_SHAPE',
      `group ${group} on ${topic}: expected ${expected === 0 ? 'an unordered group' : `an ordered group of ${expected} queues`}, the broker has another (${found}); ` +
        'give every process of the group the same ordered and orderedQueues, or drain the group and delete its queues and its exchange to change them',
    );
  }
}

/** A topic and group whose names do not fit into AMQP's 255 bytes. */
export class RabbitMqNameError extends TidingsError {
  constructor(readonly found: string) {
    super(
      'TIDINGS_RABBITMQ_NAME',
      `rabbitmq: expected a name of at most 180 bytes, found ${Buffer.byteLength(found)} in ${found}; shorten topic, group or prefix`,
    );
  }
}

/** The broker would dead-letter a message behind the back of the group's retry policies. */
export class DeliveryLimitError extends TidingsError {
  constructor(
    readonly topic: string,
    readonly group: string,
    readonly deliveryLimit: number,
    readonly attempts: number,
  ) {
    super(
      'TIDINGS_RABBITMQ_DELIVERY_LIMIT',
      `group ${group} on ${topic}: expected a deliveryLimit of at least the ${attempts} attempts of its retry policies, found ${deliveryLimit}; ` +
        `raise rabbitmq.groups.${group}.queue.deliveryLimit, or lower the attempts`,
    );
  }
}

/** The broker took the message and no queue did. */
export class UnroutableError extends TidingsError {
  constructor(exchange: string, text: string) {
    super(
      'TIDINGS_RABBITMQ_UNROUTABLE',
      `rabbitmq: no queue is bound to exchange ${exchange} (${text}); start a subscription first, or publish with route: 'optional'`,
    );
  }
}

/** The transport was closed, and is asked to work. */
export class RabbitMqClosedError extends TidingsError {
  constructor(asked: string) {
    super('TIDINGS_RABBITMQ_CLOSED', `rabbitmq: ${asked} was asked of a transport that is closed; make a new one`);
  }
}

import { TidingsError } from '@tidings/core';

/** No address answered: a deployment's mistake, or the broker is down. */
export class RocketMqConnectError extends TidingsError {
  constructor(attempts: readonly { readonly address: string; readonly error: Error }[]) {
    super(
      'TIDINGS_ROCKETMQ_CONNECT',
      `rocketmq: expected an answer from one of ${attempts.length} address(es), found ` +
        `${attempts.map(({ address, error }) => `${address}: ${error.message || error.name}`).join('; ')}; check urls, which name gRPC proxies (port 8081)`,
      { cause: attempts.at(-1)?.error },
    );
  }
}

/** The client did not start in its time: it hangs for ever when its group does not exist. */
export class RocketMqStartError extends TidingsError {
  constructor(what: string, timeoutMs: number) {
    super(
      'TIDINGS_ROCKETMQ_START',
      `rocketmq: expected ${what} to start within ${timeoutMs} ms, found it waiting still; check that topic and group exist at every broker, or let provision create them`,
    );
  }
}

/** A topic or a group exists at the broker in another shape, which would break what it is for. */
export class RocketMqShapeError extends TidingsError {
  constructor(
    readonly place: string,
    expected: string,
    found: string,
  ) {
    super(
      'TIDINGS_ROCKETMQ_SHAPE',
      `rocketmq: expected ${place} to be ${expected}, found it ${found}; give every process of a group the same ordered, or use a new group's name`,
    );
  }
}

/** A topic and group whose names do not fit into RocketMQ's limits. */
export class RocketMqNameError extends TidingsError {
  constructor(
    readonly found: string,
    most: number,
  ) {
    super(
      'TIDINGS_ROCKETMQ_NAME',
      `rocketmq: expected a name of at most ${most} characters, found ${found.length} in ${found}; shorten topic, group or prefix (each sign that is no letter, digit or - counts three)`,
    );
  }
}

/** The broker refused an administrative call. */
export class RocketMqRefusedError extends TidingsError {
  constructor(asked: string, code: number, remark: string) {
    super(
      'TIDINGS_ROCKETMQ_REFUSED',
      `rocketmq: expected the broker to ${asked}, found answer ${code}: ${remark || 'no remark'}; check its permissions, or do it by hand and set provision: false`,
    );
  }
}

/** Nobody would receive the message. */
export class UnroutableError extends TidingsError {
  constructor(topic: string, group: string | undefined) {
    super(
      'TIDINGS_ROCKETMQ_UNROUTABLE',
      `rocketmq: ${group === undefined ? 'no group' : `no group ${group}`} subscribes ${topic}; start a subscription first, or publish with route: 'optional'`,
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
      'TIDINGS_ROCKETMQ_DELIVERY_LIMIT',
      `group ${group} on ${topic}: expected deliveries of at least the ${attempts} attempts of its retry policies, found ${deliveryLimit}; raise rocketmq.groups.${group}.deliveries, or lower the attempts`,
    );
  }
}

/** The transport was closed, and is asked to work. */
export class RocketMqClosedError extends TidingsError {
  constructor(asked: string) {
    super('TIDINGS_ROCKETMQ_CLOSED', `rocketmq: ${asked} was asked of a transport that is closed; make a new one`);
  }
}

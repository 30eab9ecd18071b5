import { TidingsError } from '@tidings/core';

/** No address answered: a deployment's mistake, or the server is down. */
export class RedisConnectError extends TidingsError {
  constructor(attempts: readonly { readonly address: string; readonly error: Error }[]) {
    super(
      'TIDINGS_REDIS_CONNECT',
      `redis: expected an answer from one of ${attempts.length} address(es), found ` +
        `${attempts.map(({ address, error }) => `${address}: ${error.message || error.name}`).join('; ')}; check urls, user and password`,
      { cause: attempts.at(-1)?.error },
    );
  }
}

/** The group exists in another shape: its streams would be read by other rules while messages wait in them. */
export class RedisGroupShapeError extends TidingsError {
  constructor(
    readonly topic: string,
    readonly group: string,
    expected: string,
    found: string,
  ) {
    super(
      'TIDINGS_REDIS_GROUP_SHAPE',
      `group ${group} on ${topic}: expected ${expected}, found a group that is ${found}; ` +
        'give every process of the group the same ordered and broadcast, or drain the group and remove it to change them',
    );
  }
}

/** No group would receive the message. */
export class RedisUnroutableError extends TidingsError {
  constructor(topic: string, group?: string) {
    super(
      'TIDINGS_REDIS_UNROUTABLE',
      group === undefined
        ? `redis: topic ${topic} has no group; start a subscription first, or publish with route: 'optional'`
        : `redis: topic ${topic} has no group ${group}; start its subscription first`,
    );
  }
}

/** The transport was closed, and is asked to work. */
export class RedisClosedError extends TidingsError {
  constructor(asked: string) {
    super('TIDINGS_REDIS_CLOSED', `redis: ${asked} was asked of a transport that is closed; make a new one`);
  }
}

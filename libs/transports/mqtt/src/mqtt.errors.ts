import { TidingsError } from '@tidings/core';

/** The transport was closed; a closed one does not come back. */
export class MqttClosedError extends TidingsError {
  constructor(readonly operation: string) {
    super('TIDINGS_TRANSPORT_CLOSED', `mqtt: cannot ${operation}, the transport is closed; make a new one`);
  }
}

/** No connection stands: what was asked was not done, or is not known to be done. It connects again by itself. */
export class MqttAwayError extends TidingsError {
  constructor(
    readonly what: string,
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super('TIDINGS_MQTT_AWAY', `mqtt: ${what}: ${detail}`, options);
  }
}

/** The broker answered with a reason code of MQTT 5.0 (section 2.4). */
export class MqttReasonError extends TidingsError {
  constructor(
    readonly what: string,
    readonly reasonCode: number,
    options?: ErrorOptions,
  ) {
    super(
      'TIDINGS_MQTT_REASON',
      `mqtt: ${what}: the broker answered with reason code 0x${reasonCode.toString(16)} (MQTT 5.0, section 2.4)`,
      options,
    );
  }
}

export interface GroupShape {
  readonly seats: number;
  readonly ordered: boolean;
  readonly shared: boolean;
}

/** The group was declared in another shape before: with these settings messages would wait at seats that nobody takes, or leave their key's order. */
export class GroupShapeError extends TidingsError {
  constructor(
    readonly topic: string,
    readonly group: string,
    readonly found: GroupShape,
    readonly asked: GroupShape,
  ) {
    super(
      'TIDINGS_MQTT_GROUP_SHAPE',
      `mqtt: group ${group} on ${topic}: expected ${JSON.stringify(asked)}, found it declared as ${JSON.stringify(found)}; use the same seats, sharedSubscriptions and ordered in every process, or a new group's name, or removeTopic first`,
    );
  }
}

import type { Subscription } from '@tidings/core';
import type { GroupPresence } from './group-presence';
import { type GroupShape, GroupShapeError } from './mqtt.errors';
import type { MqttSettings } from './mqtt.options';
import { type MqttConnection, openLink } from './mqtt-connection';
import type { MqttNames } from './mqtt-names';

/** In which shape groups were declared, retained at the broker: of sessions MQTT tells nobody. */
export class GroupShapes {
  constructor(
    private readonly presence: GroupPresence,
    private readonly connection: MqttConnection,
    private readonly names: MqttNames,
    private readonly settings: MqttSettings,
  ) {}

  async find(topic: string, group: string): Promise<GroupShape | undefined> {
    const found = await this.presence.retained(this.names.shape(topic, group));
    return found && (JSON.parse(found.toString('utf8')) as GroupShape);
  }

  /** Declares the group's shape, if nobody has. @throws GroupShapeError when it was declared in another one. */
  async insist({ topic, group, ordered }: Subscription): Promise<void> {
    const { seats, sharedSubscriptions } = this.settings;
    const shape: GroupShape = { seats, ordered, shared: sharedSubscriptions && !ordered };
    const found = await this.find(topic, group);
    if (found && (found.seats !== shape.seats || found.shared !== shape.shared))
      throw new GroupShapeError(topic, group, found, shape);
    if (found) return;
    const payload = Buffer.from(JSON.stringify(shape), 'utf8');
    await this.connection.insist().publish(this.names.shape(topic, group), { payload }, { qos: 1, retain: true });
  }

  /** Ends the sessions of all seats, and forgets the shape last, so that it can be done again. */
  async remove(topic: string, group: string): Promise<void> {
    const { seats = this.settings.seats } = (await this.find(topic, group)) ?? {};
    for (let seat = 0; seat < seats; seat++) {
      // To begin anew discards what was there (MQTT 5.0, 3.1.2.4).
      const link = await openLink(this.settings, {
        clientId: this.names.seat(topic, group, seat),
        keepsSession: false,
      });
      await link.close();
    }
    const name = this.names.shape(topic, group);
    await this.connection.insist().publish(name, { payload: Buffer.alloc(0) }, { qos: 1, retain: true });
  }
}

import { asError, CLOSE_MS, endedWithin, TidingsError } from '@tidings/core';
import {
  connect,
  type IClientOptions,
  type IConnackPacket,
  type IPublishPacket,
  type MqttClient,
  type Packet,
} from 'mqtt';
import { MqttAwayError, MqttReasonError } from './mqtt.errors';
import type { MqttPublish } from './mqtt-mapping';
import type { MqttSettings } from './mqtt.options';

export interface LinkPlan {
  readonly clientId: string;
  /** The session outlives the connection: subscriptions, what came meanwhile, what was not acknowledged. */
  readonly keepsSession: boolean;
  /** Called for each message, in the order in which they come. Must not throw. */
  readonly receive?: (packet: IPublishPacket) => void;
  /** Nothing is acknowledged but by `settle`. */
  readonly manual?: boolean;
  /** Unsettled messages at once, at most (MQTT 5.0, 3.1.2.11.3). */
  readonly receiveMaximum?: number;
  /** What the broker publishes when the connection ends without `close`: an empty message, retained, which clears the topic. */
  readonly clearsAtDeath?: string;
}

/** Of MQTT 5.0, 2.4. */
export const REASON = { success: 0x00, nobody: 0x10 } as const;

/** MQTT 3.1.1 tells no limit; unanswered publishes in such numbers keep any broker busy. */
const IN_FLIGHT_311 = 100;

interface Waiting {
  readonly send: () => void;
  readonly fail: (error: Error) => void;
}

type SendPacket = (packet: Packet, callback?: (error?: Error) => void, ...rest: unknown[]) => void;

/**
 * One connection, from CONNACK to its end; it never comes back, another one follows.
 *
 * Acknowledgements: MQTT.js acknowledges a message as soon as its handler has been called, and until it has done so it reads nothing more, answers to
 * pings included. So where they are manual its PUBACK and PUBREC are swallowed here, and written when the delivery is settled. At quality of service 2
 * what is withheld is PUBREC: a message is not taken over before it is settled, so that a client that dies needs no store of its own (4.3.3, 4.4).
 */
export class MqttLink {
  /** Resolves, never rejects, with what ended it. */
  readonly lost: Promise<Error>;
  #alive = true;
  readonly #reasons = new Map<number, number>();
  readonly #queue: Waiting[] = [];
  readonly #pending = new Set<(error: Error) => void>();
  readonly #asking = new Set<(error: Error) => void>();
  readonly #window: number;

  private constructor(
    private readonly client: MqttClient,
    private readonly write: SendPacket,
    private readonly settings: MqttSettings,
    readonly address: string,
    /** What the broker said of itself. */
    private readonly connack: IConnackPacket,
    ended: Promise<Error>,
  ) {
    this.#window = settings.protocol === '5.0' ? (connack.properties?.receiveMaximum ?? 65_535) : IN_FLIGHT_311;
    this.client.on('packetreceive', (packet) => this.#heard(packet));
    this.lost = ended.then((error) => {
      this.#alive = false;
      const lost = new MqttAwayError('the connection was lost', error.message, { cause: error });
      for (const fail of [...this.#pending, ...this.#asking]) fail(lost);
      for (const { fail } of this.#queue.splice(0)) fail(lost);
      return error;
    });
  }

  /** Rejects when the broker does not answer in time, or refuses. */
  static open(url: string, settings: MqttSettings, plan: LinkPlan): Promise<MqttLink> {
    const client = connect(url, optionsOf(url, settings, plan));
    const write = (client as unknown as { _sendPacket: SendPacket })._sendPacket.bind(client);
    if (plan.manual) {
      (client as unknown as { _sendPacket: SendPacket })._sendPacket = (packet, callback, ...rest) => {
        if (packet.cmd === 'puback' || packet.cmd === 'pubrec') callback?.();
        else write(packet, callback, ...rest);
      };
    }
    return new Promise((resolve, reject) => {
      let cause: Error | undefined;
      let open = false;
      let connack: IConnackPacket | undefined;
      const address = new URL(url).host;
      const ended = new Promise<Error>((end) => {
        client.on('error', (error) => {
          cause = asError(error);
          if (!open) client.end(true);
        });
        client.on('disconnect', ({ reasonCode }) => {
          cause ??= new MqttReasonError('the broker ended the connection', reasonCode ?? 0);
        });
        client.on('close', () =>
          end(cause ?? new TidingsError('TIDINGS_MQTT_CLOSED', `the connection to ${address} was closed`)),
        );
      });
      client.on('packetreceive', (packet) => {
        if (packet.cmd === 'connack') connack = packet;
        // What a kept session has comes right behind CONNACK, before anybody can ask for it.
        if (packet.cmd === 'publish') plan.receive?.(packet);
      });
      client.on('connect', () => {
        open = true;
        resolve(new MqttLink(client, write, settings, address, connack!, ended));
      });
      void ended.then((error) => {
        if (!open) reject(error);
      });
    });
  }

  get alive(): boolean {
    return this.#alive && this.client.connected;
  }

  /** Bytes of a packet that the broker takes; undefined: it does not say. */
  get largestPacket(): number | undefined {
    return this.connack.properties?.maximumPacketSize;
  }

  /**
   * Resolves with the broker's reason code, 0 where the protocol has none. At quality of service 0 when it is written.
   *
   * @throws MqttAwayError, MqttReasonError
   */
  publish(
    topic: string,
    { payload, properties }: MqttPublish,
    { qos = this.settings.qos, retain = false }: { qos?: 0 | 1 | 2; retain?: boolean } = {},
  ): Promise<number> {
    if (!this.alive) return Promise.reject(new MqttAwayError('not published', 'the connection was lost'));
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        if (!this.#pending.delete(fail)) return;
        act();
        if (this.alive) this.#queue.shift()?.send(); // else all of it fails
      };
      const fail = (error: Error): void => end(() => reject(error));
      const send = (): void => {
        this.#pending.add(fail);
        let id: number | undefined;
        const answered = (error?: Error): void =>
          end(() => {
            const code = (id !== undefined && this.#reasons.get(id)) || REASON.success;
            if (id !== undefined) this.#reasons.delete(id);
            if (error) reject(reasonOf(error, topic));
            else resolve(code);
          });
        this.client.publish(topic, payload, { qos, retain, ...(properties && { properties }) }, answered);
        if (qos > 0) id = this.client.getLastMessageId();
      };
      if (this.#pending.size < this.#window) send();
      else this.#queue.push({ send, fail: reject });
    });
  }

  /** @throws MqttAwayError, MqttReasonError when the broker refuses one of them. */
  async subscribe(filters: readonly string[], qos: 0 | 1 | 2): Promise<void> {
    // rh 2: retained messages are for those who ask for them, not for each that comes back.
    await this.#asked((callback) => this.client.subscribe([...filters], { qos, rh: 2 }, callback));
  }

  /** As `subscribe`, and what is retained there comes first. */
  async subscribeRetained(filters: readonly string[], qos: 0 | 1 | 2 = 1): Promise<void> {
    await this.#asked((callback) => this.client.subscribe([...filters], { qos }, callback));
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    await this.#asked((callback) => this.client.unsubscribe([...filters], callback));
  }

  /** Acknowledges a message of a manual link; on one that has ended nothing happens, the broker gives it again. */
  settle({ qos, messageId }: IPublishPacket): void {
    if (!this.alive || qos === 0) return;
    this.write({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: messageId! });
  }

  /** In order: what was written arrives, and nobody is told of a death. */
  async close(): Promise<void> {
    this.client.end();
    if (!(await endedWithin(this.settings.clock, CLOSE_MS, this.lost))) this.destroy();
    await endedWithin(this.settings.clock, CLOSE_MS, this.lost);
  }

  /** At once, as by a cut. */
  destroy(): void {
    this.client.end(true);
    this.client.stream.destroy();
  }

  #heard(packet: Packet): void {
    if (packet.cmd !== 'puback' && packet.cmd !== 'pubrec') return;
    const { messageId, reasonCode } = packet;
    if (messageId !== undefined && reasonCode) this.#reasons.set(messageId, reasonCode);
  }

  #asked(ask: (callback: (error?: Error | null) => void) => void): Promise<void> {
    if (!this.alive) return Promise.reject(new MqttAwayError('not subscribed', 'the connection was lost'));
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#asking.delete(fail);
        reject(error);
      };
      this.#asking.add(fail);
      ask((error) => {
        this.#asking.delete(fail);
        if (error) reject(reasonOf(error, 'subscribe'));
        else resolve();
      });
    });
  }
}

function optionsOf(url: string, settings: MqttSettings, plan: LinkPlan): IClientOptions {
  const { protocol, connectTimeoutMs, keepAliveMs, sessionExpiryMs, tls } = settings;
  const expiry = sessionExpiryMs === undefined ? 0xffff_ffff : sessionExpiryMs / 1_000;
  return {
    ...(/^(mqtts|wss):/.test(url) && (tls as IClientOptions | undefined)),
    clientId: plan.clientId,
    clean: !plan.keepsSession,
    protocolVersion: protocol === '5.0' ? 5 : 4,
    connectTimeout: connectTimeoutMs,
    keepalive: keepAliveMs / 1_000,
    reconnectPeriod: 0,
    resubscribe: false,
    ...(plan.clearsAtDeath !== undefined && {
      will: { topic: plan.clearsAtDeath, payload: Buffer.alloc(0), qos: 1 as const, retain: true },
    }),
    ...(protocol === '5.0' && {
      properties: {
        ...(plan.keepsSession && { sessionExpiryInterval: expiry }),
        ...(plan.receiveMaximum !== undefined && { receiveMaximum: plan.receiveMaximum }),
      },
    }),
  };
}

function reasonOf(error: Error, what: string): Error {
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? new MqttReasonError(what, code, { cause: error }) : error;
}

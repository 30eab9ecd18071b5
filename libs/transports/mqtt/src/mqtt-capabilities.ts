import type { Capabilities } from '@tidings/core';
import type { MqttSettings } from './mqtt.options';

/** Sections are of OASIS's "MQTT Version 5.0" and "MQTT Version 3.1.1". By protocol and quality of service: no two brokers or levels promise the same. */
export function mqttCapabilities({ protocol, qos }: Pick<MqttSettings, 'protocol' | 'qos'>): Capabilities {
  return Object.freeze({
    durable:
      qos === 0
        ? 'MQTT 5.0, 4.3.1: at quality of service 0 nobody answers, and nothing is stored'
        : 'MQTT 5.0, 4.1.1, and 3.1.1, 4.1 leave it to the broker how session state is stored: Mosquitto writes it when it stops in order and each autosave_interval, so that a crash takes what it confirmed since',
    ordered: true,
    broadcast: true,
    delay:
      'MQTT 5.0, 3.3.2.3, has no property that delays a PUBLISH; a retry waits in the process that took the message, unacknowledged',
    unroutable: unroutable(protocol, qos),
    attempts:
      'MQTT 5.0, 3.3.1.1, and 3.1.1, 3.3.1.1: DUP says by one bit that a message may have been delivered before, not how often',
    replay:
      'MQTT 5.0, 3.3.1.3, and 3.1.1, 3.3.1.3 keep for later subscribers one message a topic, the retained one; sessions keep only what came after they subscribed',
    deadLetters:
      'MQTT 5.0, 4.1, and 3.1.1, 4.1: only a session keeps messages, for its one client, and reading takes them; a rejected message is published to a topic of dead letters, which keeps nothing by itself',
    largePayload: true,
    processes: true,
  });
}

function unroutable(protocol: MqttSettings['protocol'], qos: MqttSettings['qos']): true | string {
  if (protocol === '3.1.1')
    return 'MQTT 3.1.1, 3.4: a PUBACK has no field that could tell that nobody subscribes (reason codes came with 5.0)';
  if (qos === 0) return 'MQTT 5.0, 4.3.1: at quality of service 0 nobody answers';
  if (qos === 2)
    return 'MQTT 5.0, 4.3.3: at quality of service 2 a broker may hand a message on after PUBREL only, as Mosquitto does, and PUBCOMP (3.7.2.1) has no code for nobody';
  return true;
}

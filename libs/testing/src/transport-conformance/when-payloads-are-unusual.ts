import { randomBytes } from 'node:crypto';
import type { Message, Transport } from '@tidings/core';
import { testMessage, type TestMessageOverrides } from '../test-message';
import type { Behaviour } from './behaviour';
import type { Scene } from './scene';

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const UNICODE = 'žluťoučký 🌹 礼物 \u0000 \u2028 \ud83d\udc69\u200d\ud83d\ude80 "\\ \n';

/** Publishes and returns what arrived, by id. */
async function roundTrip(
  scene: Scene,
  overrides: readonly TestMessageOverrides[],
): Promise<(readonly [Message, Message])[]> {
  const transport: Transport = await scene.transport();
  const recording = scene.recording();
  await scene.subscribe(transport, recording);
  const sent = overrides.map((override) => testMessage({ topic: scene.topic(), ...override }));
  await scene.publish(transport, sent);
  await recording.receivedAll(sent.map(({ id }) => id));
  return sent.map(
    (message) =>
      [message, recording.deliveries.find((delivery) => delivery.message.id === message.id)!.message] as const,
  );
}

const payloads = (name: string, given: readonly TestMessageOverrides[], needs: Behaviour['needs'] = []): Behaviour => ({
  name,
  needs,
  run: async (scene) => {
    for (const [sent, received] of await roundTrip(scene, given)) {
      expect(Buffer.compare(Buffer.from(received.payload), Buffer.from(sent.payload))).toBe(0);
      expect(received.payload).toHaveLength(sent.payload.length);
      expect(received.contentType).toBe(sent.contentType);
      expect(received.crc32c).toBe(sent.crc32c);
    }
  },
});

export const whenPayloadsAreUnusual: readonly Behaviour[] = [
  payloads('unicode payload', [{ payload: { text: UNICODE } }]),
  payloads('binary payload', [
    { payload: EVERY_BYTE, contentType: 'application/octet-stream' },
    { payload: Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]), contentType: 'application/octet-stream' }, // no valid UTF-8
  ]),
  payloads('empty payload', [{ payload: new Uint8Array(0), contentType: 'application/octet-stream' }]),
  payloads(
    'payload of 1 MiB',
    [{ payload: randomBytes(1_048_576), contentType: 'application/octet-stream' }],
    ['largePayload'],
  ),
  {
    name: 'unicode in headers, key and source',
    needs: [],
    run: async (scene) => {
      const text = UNICODE.replaceAll('\u0000', '');
      const [[sent, received]] = (await roundTrip(scene, [
        {
          key: `room ${text}`,
          source: `gift/${encodeURIComponent('礼')}`,
          headers: { note: text, Größe: 'ä', 'x-number': '12', 'x-json': '{"a":[1]}' },
        },
      ])) as [readonly [Message, Message]];
      expect(received.headers).toEqual(sent.headers);
      expect(received.key).toBe(sent.key);
      expect(received.source).toBe(sent.source);
    },
  },
  {
    name: 'a type and a version that nobody here knows are carried as they are',
    needs: [],
    run: async (scene) => {
      const unknown = [
        { type: 'com.example.Gift/sent', version: 7 },
        { type: 'подарок 🌹', version: 1 },
        { type: 'gift.sent', version: 2_147_483_647 },
      ];
      for (const [sent, received] of await roundTrip(scene, unknown)) {
        expect(received).toMatchObject({ type: sent.type, version: sent.version, topic: sent.topic });
      }
    },
  },
];

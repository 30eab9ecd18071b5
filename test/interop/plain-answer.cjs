// What the plain programs have in common, by docs/wire-format.md alone.

/** "Lanes": FNV-1a, 32 bits, modulo 64. */
const laneOf = (key) =>
  [...Buffer.from(key)].reduce((hash, byte) => Math.imul(hash ^ byte, 16777619) >>> 0, 2166136261) % 64;

/** From now on it misses nothing. */
const ready = () => process.send('ready');

/** A message of a foreign sender: what CloudEvents asks for, and nothing of ours. */
const answerTo = ({ attributes, headers, data }) => ({
  attributes: {
    specversion: '1.0',
    id: 'plain-1',
    source: 'plain-program',
    type: 'gift.thanked',
    time: '2026-11-27T09:30:00.000Z',
    datacontenttype: 'application/json',
    partitionkey: attributes.partitionkey,
  },
  headers: { correlationid: attributes.id },
  data: JSON.stringify({ attributes, headers, gift: JSON.parse(data) }),
});

module.exports = { laneOf, ready, answerTo };

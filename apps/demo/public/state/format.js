const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' });
const shortMoney = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'EUR',
  notation: 'compact',
  maximumFractionDigits: 1,
});
const whole = new Intl.NumberFormat('en');

/** Minor units as a price. */
export const asMoney = (minor) => money.format(minor / 100);

/** The same in little space: thousands as K. */
export const asShortMoney = (minor) => (minor < 1_000_000 ? asMoney(minor) : shortMoney.format(minor / 100));

export const asCount = (count) => whole.format(count);

/** `viewer-007` and `ada` as names. */
export const asName = (id) => {
  const text = id.replace(/[-_]+/g, ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** Two letters for a face: `A`, or `V7` for viewer-007. */
export const initialsOf = (id) => {
  const number = /(\d+)$/.exec(id)?.[1];
  return id.charAt(0).toUpperCase() + (number ? String(Number(number)) : '');
};

/** Neighbouring rooms look as different as they can. */
export const hueOfRoom = (index) => [268, 18, 196, 330, 140, 48][index % 6];

/** A colour for a name, always the same one. */
export const hueOf = (id) => {
  let hash = 7;
  for (const letter of id) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return hash % 360;
};

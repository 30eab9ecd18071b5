/** The streamer's part of a gift, in hundredths. */
const STREAMER_PERCENT = 60;

/** The streamer's share is rounded down and the platform has the rest, so that the two always add up to the amount. */
export function splitAmount(amountMinor: number): { readonly streamer: number; readonly platform: number } {
  const streamer = Math.floor((amountMinor * STREAMER_PERCENT) / 100);
  return { streamer, platform: amountMinor - streamer };
}

/** The channel that an address listens to: 50 bytes of the 63 that a name may have. */
export const replyChannel = (address: string): string => `tidings:reply:${address}`;

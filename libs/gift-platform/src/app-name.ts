/** The demo's apps; each is its messages' source, its group and, with underscores, its schema. */
export type AppName =
  'gift-api' | 'ranking' | 'revenue-share' | 'badges' | 'room-gateway' | 'achievements' | 'callback-service';

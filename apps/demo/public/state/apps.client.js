/** The apps behind the page's own address. Every call rejects with an AppError when the app is away or says no. */

export class AppError extends Error {
  constructor(app, status, message) {
    super(message);
    this.app = app;
    this.status = status;
  }
}

async function ask(app, path, options) {
  let response;
  try {
    response = await fetch(`/api/${app}${path}`, { signal: AbortSignal.timeout(10_000), ...options });
  } catch (error) {
    throw new AppError(app, 0, String(error));
  }
  if (response.ok) return response.json();
  const body = await response.json().catch(() => ({}));
  throw new AppError(app, response.status, body.message ?? response.statusText);
}

const post = (path, gift, key) =>
  ask('gift-api', path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(gift),
  });

export const rooms = () => ask('gift-api', '/rooms');
export const catalogue = () => ask('gift-api', '/catalogue');
export const backlog = () => ask('gift-api', '/backlog');
export const newestGifts = (roomId, limit) =>
  ask('gift-api', `/gifts?roomId=${encodeURIComponent(roomId)}&newest=true&limit=${limit}`);
export const ranking = (roomId) => ask('ranking', `/rooms/${encodeURIComponent(roomId)}/ranking?top=10`);
export const badges = (limit) => ask('badges', `/viewers?limit=${limit}`);
export const totals = (app) => ask(app, '/totals');

export const sendGift = (gift) => post('/gifts', gift, crypto.randomUUID());
/** The demo's own server: what the page can do besides asking the apps. */
async function demo(path, options) {
  const response = await fetch(path, {
    ...options,
    headers: { 'content-type': 'application/json', 'x-tidings-demo': 'page' },
  });
  const body = await response.json();
  if (!response.ok) throw new AppError('demo', response.status, body.message ?? response.statusText);
  return body;
}

/** SIGKILL: the demo's server starts it again. */
export const killApp = (app) => demo(`/apps/${app}/kill`, { method: 'POST' });

/** From the server, with more connections than a browser opens to one address. */
export const startRush = (count) => demo('/rush', { method: 'POST', body: JSON.stringify({ count }) });
export const rushProgress = () => demo('/rush');

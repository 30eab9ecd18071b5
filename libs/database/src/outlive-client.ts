import type { ClientBase } from 'pg';

const guarded = new WeakSet<ClientBase>();

/**
 * Lets the process outlive a client that its pool has given up: pg-pool and TypeORM take their error listeners off before they end a client, and the
 * server may say that it ended the session in just that moment; an error event that nobody listens to ends the process. Whoever listens still hears
 * of it. Once a client, for as long as it lives.
 */
export function outliveClient(client: ClientBase): void {
  if (guarded.has(client)) return;
  guarded.add(client);
  client.on('error', () => undefined);
}

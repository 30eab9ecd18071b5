import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { APP_NAMES, type AppName } from '../apps/app-fleet';
import type { AppAddress } from '../apps/app-reads';

interface Target {
  readonly app: AppName;
  readonly path: string;
}

/**
 * Passes the page's requests on to the apps, so that the page needs one address only: `/api/<app>/…` by HTTP, `/socket.io/` to room-gateway
 * with its WebSocket. An app that is away is 503 with its name, at once: the page shows it and asks again.
 */
export class AppProxy {
  /** Upgraded connections: the HTTP server no longer knows them, and waits for them when it closes. */
  readonly #upgraded = new Set<Duplex>();

  constructor(private readonly addressOf: AppAddress) {}

  /** Cuts the WebSockets that are open. */
  close(): void {
    for (const socket of this.#upgraded) socket.destroy();
  }

  /** As an express middleware. */
  readonly handle = (incoming: IncomingMessage, response: ServerResponse, next: () => void): void => {
    const target = targetOf(incoming.url ?? '/');
    if (!target) return next();
    const outgoing = this.#forward(incoming, target);
    if (!outgoing) return away(response, target.app);
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => (response.headersSent ? response.destroy() : away(response, target.app)));
    // A page that went away must not keep a request of ours open.
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  };

  /** For the server's `upgrade` event. */
  readonly upgrade = (incoming: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const target = targetOf(incoming.url ?? '/');
    const outgoing = target && this.#forward(incoming, target);
    if (!outgoing) return void socket.destroy();
    this.#upgraded.add(socket);
    socket.on('close', () => {
      this.#upgraded.delete(socket);
      outgoing.destroy();
    });
    outgoing.on('upgrade', (answer, upstream, upstreamHead) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${rawHeaders(answer)}\r\n\r\n`);
      if (upstreamHead.length > 0) socket.write(upstreamHead);
      if (head.length > 0) upstream.write(head);
      for (const [from, to] of [
        [upstream, socket],
        [socket, upstream],
      ] as const) {
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
      }
    });
    outgoing.on('response', () => socket.destroy()); // it did not want to upgrade
    outgoing.on('error', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    outgoing.end();
  };

  #forward(incoming: IncomingMessage, { app, path }: Target) {
    const address = this.addressOf(app);
    if (!address) return undefined;
    return request(new URL(path, address), { method: incoming.method, headers: incoming.headers });
  }
}

function targetOf(url: string): Target | undefined {
  if (url.startsWith('/socket.io/')) return { app: 'room-gateway', path: url };
  const [, name, path] = /^\/api\/([a-z-]+)(\/.*)$/.exec(url) ?? [];
  const app = APP_NAMES.find((known) => known === name);
  return app && path ? { app, path } : undefined;
}

function away(response: ServerResponse, app: AppName): void {
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end(JSON.stringify({ statusCode: 503, message: `${app} is away; it is being started again`, app }));
}

const rawHeaders = ({ rawHeaders: raw }: IncomingMessage): string =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${raw[index + 1]}`] : [])).join('\r\n');

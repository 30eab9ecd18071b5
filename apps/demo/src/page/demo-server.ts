import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { join, resolve } from 'node:path';
import { TidingsError } from '@tidings/core';
import { AppProxy } from './app-proxy';
import { PageModule, type PageOptions } from './page.module';

export interface DemoServerOptions extends PageOptions {
  /** Undefined: 3000, or the next free one. */
  readonly port: number | undefined;
  /** The interface to listen at. */
  readonly host: string;
}

const FIRST_PORT = 3_000;
const TRIES = 100;

/** The port that was asked for serves something else. */
export class PortTakenError extends TidingsError {
  constructor(readonly port: number) {
    super('DEMO_PORT_TAKEN', `port ${port}: expected it free, found it taken; choose another, or leave --port out`);
  }
}

/** Serves the page and, under the same address, the apps. */
export class DemoServer {
  #app: NestExpressApplication | undefined;
  readonly #proxy: AppProxy;

  constructor(private readonly options: DemoServerOptions) {
    this.#proxy = new AppProxy(options.addressOf);
  }

  /** Resolves with the page's address. Rejects when the given port is taken. */
  async start(): Promise<string> {
    const app = await NestFactory.create<NestExpressApplication>(PageModule.register(this.options), {
      logger: false, // a port that is taken would be told as an error, though the next one will do
    });
    this.#app = app;
    app.use(this.#proxy.handle);
    for (const [prefix, folder] of Object.entries(folders())) app.useStaticAssets(folder, { prefix });
    const server = app.getHttpServer();
    server.on('upgrade', this.#proxy.upgrade);
    await listen(app, this.options);
    app.useLogger(['error', 'warn']);
    const address = server.address();
    return `http://localhost:${typeof address === 'object' ? address?.port : address}`;
  }

  /** Safe twice. Open connections, as a browser keeps them, are cut. */
  async stop(): Promise<void> {
    this.#app?.getHttpServer()?.closeAllConnections();
    this.#proxy.close();
    await this.#app?.close();
  }
}

/** What the page loads: its own files, and its libraries from where npm put them. No address of somebody else's. */
function folders(): Readonly<Record<string, string>> {
  const lit = packageFolder('lit', __dirname);
  return {
    '/': resolve(__dirname, '../../public'),
    '/vendor/lit': lit,
    '/vendor/lit-html': packageFolder('lit-html', lit),
    '/vendor/lit-element': packageFolder('lit-element', lit),
    '/vendor/reactive-element': packageFolder('@lit/reactive-element', lit),
    '/vendor/socket.io-client': join(packageFolder('socket.io-client', __dirname), 'dist'),
  };
}

/** Where npm put a package, seen from a folder. Not by its package.json, which lit's packages do not export. */
function packageFolder(name: string, from: string): string {
  const entry = require.resolve(name, { paths: [from] });
  const folder = join('node_modules', name);
  return entry.slice(0, entry.lastIndexOf(folder) + folder.length);
}

async function listen(app: NestExpressApplication, { host, port }: DemoServerOptions): Promise<void> {
  for (let next = port ?? FIRST_PORT; ; next++) {
    try {
      await app.listen(next, host);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || next >= FIRST_PORT + TRIES) throw error;
      if (port !== undefined) throw new PortTakenError(port);
    }
  }
}

import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';

export const HOST = '127.0.0.1';

/** The port if it is free; with 0 any free one. Undefined when it is taken. Another process may take it before the server does. */
export function freePort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, HOST, () => {
      const { port: found } = probe.address() as AddressInfo;
      probe.close(() => resolve(found));
    });
  });
}

/** The port of the last start, so that addresses in tools and .env files stay right; another one only when that is taken. */
export async function rememberedPort(file: string): Promise<number | undefined> {
  const remembered = Number(await readFile(file, 'utf8').catch(() => '0'));
  return (remembered > 0 && remembered < 65_536 && (await freePort(remembered))) || freePort(0);
}

export const rememberPort = (file: string, port: number): Promise<void> => writeFile(file, String(port));

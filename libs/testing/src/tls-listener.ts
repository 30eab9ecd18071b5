import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Signed by itself, so its own authority; made for this run. */
export function certificateFor(name: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'tidings-tls-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', [...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a broker's TLS listener is: it ends TLS, and asks for a client's certificate where that is wished. */
export class TlsListener {
  private constructor(private readonly listener: Server) {}

  /** `askClient`: the authority of the certificates that clients must show. */
  static async to(
    target: { readonly host: string; readonly port: number },
    own: Certificate,
    askClient?: string,
  ): Promise<TlsListener> {
    const asking = askClient === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: askClient };
    const listener = createServer({ ...own, ...asking }, (socket) => {
      const upstream = connect(target.port, target.host);
      for (const [from, to] of [[socket, upstream], [upstream, socket]] as const) // prettier-ignore
        from.on('error', () => undefined).on('close', () => to.destroy()).pipe(to); // prettier-ignore
    });
    listener.on('tlsClientError', () => undefined);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new TlsListener(listener);
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  close(): void {
    this.listener.close();
  }
}

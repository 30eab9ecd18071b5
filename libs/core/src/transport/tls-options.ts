/** TLS to a broker, as Node's `tls.connect` has it. */
export interface TlsOptions {
  /** Authorities in place of Node's, PEM. */
  readonly ca?: string | Buffer;
  /** This client's certificate and key, PEM, for a broker that asks for them. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  /** The name that the broker's certificate must have. Default: the address's host. */
  readonly servername?: string;
  /** False takes any certificate: encrypted, and to whoever answers. Default true. */
  readonly rejectUnauthorized?: boolean;
}

/** The embedded server cannot run here, or did not start or stop. `code` is stable; the message tells the way out. */
export class EmbeddedPostgresError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
  }
}

/** The code of a file system's, socket's or database's error. By shape: Node's own errors are no `instanceof Error` in a test runner's realm. */
export const codeOf = (thrown: unknown): string | undefined =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;

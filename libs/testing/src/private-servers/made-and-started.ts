/** The server when it runs; what there was of it is removed when it does not come to that. */
export async function madeAndStarted<Server extends { start(): Promise<void>; remove(): Promise<void> }>(
  server: Server,
  make: () => unknown = () => undefined,
): Promise<Server> {
  try {
    await make();
    await server.start();
  } catch (thrown) {
    await server.remove();
    throw thrown;
  }
  return server;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendGifts } from './gift-sender';

const gift = (idempotencyKey: string) => ({ roomId: 'a', viewerId: 'v', gift: 'rose', quantity: 1, idempotencyKey });

describe('sendGifts', () => {
  let server: Server;
  let heard: string[];
  let answer: (key: string, times: number, response: ServerResponse) => void;

  beforeEach(async () => {
    heard = [];
    server = createServer((request: IncomingMessage, response) => {
      const key = String(request.headers['idempotency-key']);
      heard.push(key);
      request.resume().on('end', () => answer(key, heard.filter((one) => one === key).length, response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => server.close());

  const send = (...keys: string[]) => {
    const { port } = server.address() as AddressInfo;
    const address = () => `http://127.0.0.1:${port}`;
    return sendGifts(
      keys.map((key) => [gift(key)]),
      { address, clients: 2, stalledAfterMs: 1_000 },
    );
  };
  const ok = (response: ServerResponse, giftId: string): void =>
    void response.writeHead(201).end(JSON.stringify({ giftId, amountMinor: 5 }));

  it('reports what it was told', async () => {
    answer = (key, _, response) => ok(response, `gift of ${key}`);
    const report = await send('k1', 'k2');
    expect(report.answers).toEqual([
      { idempotencyKey: 'k1', giftId: 'gift of k1', amountMinor: 5 },
      { idempotencyKey: 'k2', giftId: 'gift of k2', amountMinor: 5 },
    ]);
    expect(report.refusals).toEqual([]);
  });

  it.each([
    ['503', (response: ServerResponse) => void response.writeHead(503, { 'retry-after': '0' }).end()],
    ['409', (response: ServerResponse) => void response.writeHead(409).end()],
    ['a lost connection', (response: ServerResponse) => void response.destroy()],
  ])('sends again, with the same key, after %s', async (_, fail) => {
    answer = (key, times, response) => (times < 3 ? fail(response) : ok(response, key));
    const report = await send('k1');
    expect(report.answers).toHaveLength(1);
    expect(heard).toEqual(['k1', 'k1', 'k1']);
  });

  it('ends when nobody is answered any more', async () => {
    answer = (_key, _times, response) => void response.writeHead(503).end();
    const report = await send('k1', 'k2', 'k3', 'k4');
    expect(report.answers).toEqual([]);
    expect(report.refusals.map((refusal) => refusal.idempotencyKey)).toEqual(['k1', 'k2']); // the others were not sent
  });

  it("takes a client's mistake for an answer", async () => {
    answer = (_key, _times, response) => void response.writeHead(422).end('used for another gift');
    const report = await send('k1');
    expect(report).toMatchObject({ answers: [], refusals: [{ idempotencyKey: 'k1', status: 422 }], requests: 1 });
  });
});

import { Injectable } from '@nestjs/common';
import { defineRequest, type Transport } from '@tidings/core';
import { memory, MemoryBroker } from '@tidings/memory';
import { z } from 'zod';
import { OnMessage } from '../decorators/on-message.decorator';
import { OnRequest } from '../decorators/on-request.decorator';
import { MessagePublisher } from '../publishing/message-publisher';
import { MessageRequester } from '../publishing/message-requester';
import { route } from '../publishing/route';
import { boot, closeAll } from '../test-application.fixture';

const Ask = defineRequest('room.ask', {
  schema: z.object({ room: z.string() }),
  key: ({ room }) => room,
  reply: { schema: z.object({ kind: z.string() }) },
});

let observed: string[];

@Injectable()
class Rooms {
  @OnRequest(Ask, { ordered: true })
  answer(): { kind: string } {
    return { kind: 'release' }; // looks like a settlement, and is an answer
  }
}

@Injectable()
class Observer {
  @OnMessage(Ask, { group: 'audit', level: 'atLeastOnce' })
  observe({ room }: { room: string }): string {
    observed.push(room);
    return room;
  }
}

/** Nothing but the ports of a transport. */
function plain(transport: Transport): Transport {
  const { kind, capabilities } = transport;
  return {
    kind,
    capabilities,
    connect: () => transport.connect(),
    publish: (messages) => transport.publish(messages),
    subscribe: (subscription, receive) => transport.subscribe(subscription, receive),
    close: () => transport.close(),
    health: () => transport.health(),
  };
}

describe('@OnRequest', () => {
  beforeEach(() => (observed = []));
  afterEach(closeAll);

  it('answers without a store, beside a group that only listens', async () => {
    const app = await boot({}, { providers: [Rooms, Observer] });
    expect(await app.get(MessageRequester).request(Ask, { room: 'r1' })).toEqual({ kind: 'release' });
    expect(observed).toEqual(['r1']);
  });

  it('handles a message of the contract that was published and not asked', async () => {
    const app = await boot({}, { providers: [Rooms] });
    await app.get(MessagePublisher).publish(Ask, { room: 'r1' });
    expect(await app.get(MessageRequester).request(Ask, { room: 'r1' })).toEqual({ kind: 'release' });
  });

  it('is refused at boot on a transport that cannot carry an answer, as is asking over it', async () => {
    const transports = { main: plain(memory({ broker: new MemoryBroker() })) };
    await expect(boot({ transports }, { providers: [Rooms] })).rejects.toMatchObject({ code: 'TIDINGS_CAPABILITY' });
    const app = await boot({ transports: { main: plain(memory()) } });
    const requester = app.get(MessageRequester);
    await expect(requester.request(Ask, { room: 'r1' })).rejects.toMatchObject({ code: 'TIDINGS_CAPABILITY' });
  });

  it('is not asked over two transports at once', async () => {
    const transports = { one: memory(), two: memory() };
    const app = await boot({ transports, routes: [route('room.*').to('one', 'two')] });
    await expect(app.get(MessageRequester).request(Ask, { room: 'r1' })).rejects.toMatchObject({
      code: 'TIDINGS_CONFIGURATION',
      message: expect.stringContaining('one, two') as string,
    });
  });

  it('refuses a time-out that no timer takes', async () => {
    const app = await boot({});
    for (const timeoutMs of [0, 1.5, 2 ** 31])
      await expect(app.get(MessageRequester).request(Ask, { room: 'r1' }, { timeoutMs })).rejects.toMatchObject({
        path: 'request.timeoutMs',
      });
  });
});

import { ContractError } from '@tidings/core';
import { memory, MemoryBroker } from '@tidings/memory';
import { PublishFailedError } from '../messaging.errors';
import { boot, closeAll, type Gift, GiftSent, RoomClosed, rose } from '../test-application.fixture';
import { MessagePublisher } from './message-publisher';
import { route } from './route';

describe('MessagePublisher', () => {
  afterEach(closeAll);

  const publisherOf = async (...options: Parameters<typeof boot>) => (await boot(...options)).get(MessagePublisher);

  it('rejects with what was not confirmed and why', async () => {
    const publisher = await publisherOf({});
    const failure = await publisher.publish(GiftSent, rose, { id: 'g1' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PublishFailedError);
    expect(failure).toMatchObject({ code: 'TIDINGS_PUBLISH_FAILED', reason: 'unroutable', messageId: 'g1' });
    expect((failure as Error).message).toMatch(
      /^message g1 \(gift.sent\): expected main\/gift.sent to confirm it, found unroutable: .*; start a subscriber first/,
    );
  });

  it('publishes to nobody when the route is optional', async () => {
    const publisher = await publisherOf({});
    await expect(publisher.publish(GiftSent, rose, { route: 'optional' })).resolves.toMatchObject({
      type: 'gift.sent',
    });
  });

  it('publishes many in one call a transport, in order, and tells the failed ones', async () => {
    const [main, logs] = [memory({ broker: new MemoryBroker() }), memory({ broker: new MemoryBroker() })];
    const calls: string[][] = [];
    for (const transport of [main, logs]) {
      const publish = transport.publish.bind(transport);
      transport.publish = (messages) => {
        calls.push(messages.map(({ message }) => message.id));
        return publish(messages);
      };
    }
    const routes = [route('gift.*').to('main', 'logs'), route('room.*').to('logs')];
    const publisher = await publisherOf({ transports: { main, logs }, routes });
    const many = ['a', 'b'].map((id) => ({
      contract: GiftSent,
      payload: rose,
      options: { id, route: 'optional' as const },
    }));
    const closed = { contract: RoomClosed, payload: { room: 'r1' }, options: { id: 'c' } };
    const failure = await publisher.publishAll([...many, closed]).catch((error: unknown) => error);
    expect(calls).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
    expect(failure).toMatchObject({ unconfirmed: [{ messageId: 'c', transport: 'logs', reason: 'unroutable' }] });
  });

  it('sends nothing of many when one payload does not fit', async () => {
    const publisher = await publisherOf({});
    const bad = { room: 'r1', coins: 'many' } as unknown as Gift;
    const many = [rose, bad].map((payload) => ({ contract: GiftSent, payload }));
    await expect(publisher.publishAll(many)).rejects.toThrow(ContractError);
  });

  it('connects a transport at the first message only', async () => {
    const main = memory({ broker: new MemoryBroker() });
    const connect = jest.spyOn(main, 'connect');
    const publisher = await publisherOf({ transports: { main }, roles: ['publish'] });
    expect(connect).not.toHaveBeenCalled();
    await publisher.publish(GiftSent, rose, { route: 'optional' });
    expect(connect).toHaveBeenCalledTimes(1);
  });
});

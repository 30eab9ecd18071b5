import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ApplicationDeadLetters, getDeadLettersToken } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { Client } from 'pg';
import type * as Snippets from '../../docs/snippets/gift-pipeline';

// What README.md shows has run: a gift is sent as there, and ranked as there.
describeOn('postgres', "README's gift pipeline", (url) => {
  const name = `tidings_readme_${randomUUID().slice(0, 8)}`;
  const server = new Client({ connectionString: url });
  const before = process.env['DATABASE_URL'];

  beforeAll(async () => {
    await server.connect();
    await server.query(`create database ${name}`);
    const own = new URL(url);
    own.pathname = `/${name}`;
    process.env['DATABASE_URL'] = own.href;
  });

  afterAll(async () => {
    if (before === undefined) delete process.env['DATABASE_URL'];
    else process.env['DATABASE_URL'] = before;
    await server.query(`drop database if exists ${name} with (force)`);
    await server.end();
  });

  it('sends a gift, ranks it once, keeps what fails for good, and redrives it', async () => {
    // Here and not above: it reads the address when it is loaded.
    const snippet = jest.requireActual<typeof Snippets>('../../docs/snippets/gift-pipeline');
    const { AppModule, dataSource, Gift, RepairDesk, Room, SendGift, ShareRevenueHandler } = snippet;
    await dataSource.initialize();
    await dataSource.synchronize();

    @Module({ imports: [AppModule], providers: [RepairDesk, ShareRevenueHandler] })
    class ReadmeModule {}

    const app = await NestFactory.createApplicationContext(ReadmeModule, { logger: false });
    const coins = async (id: string): Promise<number | undefined> =>
      (await dataSource.manager.findOneBy(Room, { id }))?.coins;
    const send = (id: string, roomId: string): Promise<void> =>
      app.get(SendGift).send(Object.assign(new Gift(), { id, roomId, coins: 5 }));

    await dataSource.manager.save(Room, { id: 'lobby', coins: 0 });
    await send('g1', 'lobby');
    await until('the gift is ranked', async () => (await coins('lobby')) === 5);

    const letters = app.get<ApplicationDeadLetters>(getDeadLettersToken());
    await send('g2', 'attic'); // of a room that does not exist: revenue cannot share it
    await until('the gift is dead-lettered', async () => (await letters.list()).length === 1);
    expect(await letters.list()).toMatchObject([{ place: 'revenue', reason: 'not retriable: no room attic' }]);
    await dataSource.manager.save(Room, { id: 'attic', coins: 0 });
    const log = jest.spyOn(console, 'log').mockImplementation();
    await app.get(RepairDesk).redriveAll();
    expect(log).toHaveBeenCalledWith(expect.any(String), 'revenue', 'not retriable: no room attic');
    log.mockRestore();
    expect(await letters.list()).toEqual([]);
    expect(await coins('lobby')).toBe(5);
    await app.close();
    await dataSource.destroy();
  });
});

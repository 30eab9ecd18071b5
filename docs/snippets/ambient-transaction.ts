import { Injectable, Module } from '@nestjs/common';
import { ClsPluginTransactional, Transactional, TransactionHost } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { clsAmbient, joinable, typeorm } from '@tidings/database';
import { InjectOutbox, MessagingModule, OnMessage, type Outbox } from '@tidings/messaging';
import { postgres } from '@tidings/postgres';
import { ClsModule } from 'nestjs-cls';
import { DataSource } from 'typeorm';
import { Gift, GiftSent, postgresUrl, Room } from './gift-pipeline';

// The code that docs/transactions.md shows, compiled and linted; libs/messaging/src/ambient-transaction.int.spec.ts runs the same on PostgreSQL.

type TypeOrmTransactionHost = TransactionHost<TransactionalAdapterTypeOrm>;

// #region service
@Injectable()
export class Gifts {
  constructor(
    private readonly txHost: TransactionHost<TransactionalAdapterTypeOrm>,
    @InjectOutbox() private readonly outbox: Outbox,
  ) {}

  @Transactional()
  async send(gift: Gift): Promise<void> {
    await this.txHost.tx.save(Gift, gift);
    await this.outbox.publish(GiftSent, { roomId: gift.roomId, coins: gift.coins }); // no handle: it joins the transaction that is open here
  }
}
// #endregion

// #region handler
@Injectable()
export class RankGifts {
  constructor(private readonly rooms: Rooms) {}

  @OnMessage(GiftSent, { group: 'ranking' })
  async rank(gift: GiftSent): Promise<void> {
    await this.rooms.add(gift.roomId, gift.coins); // joins the handler's transaction: the effect and the note "handled" commit together
  }
}

@Injectable()
export class Rooms {
  constructor(private readonly txHost: TransactionHost<TransactionalAdapterTypeOrm>) {}

  @Transactional()
  async add(roomId: string, coins: number): Promise<void> {
    await this.txHost.tx.increment(Room, { id: roomId }, 'coins', coins);
  }
}
// #endregion

// #region module
@Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url: postgresUrl, entities: [Gift, Room] }),
    ClsModule.forRoot({
      global: true,
      plugins: [
        new ClsPluginTransactional({
          imports: [TypeOrmModule],
          adapter: joinable(new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken() })),
        }),
      ],
    }),
    MessagingModule.forRootAsync({
      inject: [DataSource, TransactionHost],
      useFactory: (dataSource: DataSource, txHost: TypeOrmTransactionHost) => {
        const store = typeorm(dataSource, { ambient: clsAmbient(txHost) });
        return { source: 'gift-api', stores: { default: store }, transports: { main: postgres({ store }) } };
      },
    }),
  ],
  providers: [Gifts, Rooms, RankGifts],
})
export class AmbientModule {}
// #endregion

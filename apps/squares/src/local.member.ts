import 'reflect-metadata';
import { type INestApplicationContext, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { asError } from '@tidings/core';
import { MessagingModule, nestLogger } from '@tidings/messaging';
import { ExitHandler } from './exit.handler';
import type { Departure, Member, MemberOrders, Role } from './member';
import { NumberProducer } from './number.producer';
import { SquareHandler } from './square.handler';
import { openPlace, type OpenPlace, type SquaresPlace } from './squares.place';
import { COUNT, SumHandler } from './sum.handler';

@Module({})
class MemberModule {}

const WORK = { producer: NumberProducer, squarer: SquareHandler, summer: SumHandler } as const satisfies Record<
  Role,
  unknown
>;

/** An application in this process, as a user would write it: a module, a handler, and it closes when it is told that all is done. */
export class LocalMember implements Member {
  readonly left: Promise<Departure>;
  #leave: (departure: Departure) => void = () => undefined;
  #app: INestApplicationContext | undefined;
  #place: OpenPlace | undefined;

  /** `alone`: nobody else is in this process, so that a signal to it is meant for this member. */
  constructor(
    private readonly orders: MemberOrders<SquaresPlace>,
    private readonly alone = false,
  ) {
    this.left = new Promise((resolve) => (this.#leave = resolve));
  }

  get name(): string {
    return this.orders.name;
  }

  async start(): Promise<void> {
    const { name, role, count, place } = this.orders;
    const logger = nestLogger(new Logger(name));
    this.#place = await openPlace(place, logger);
    const messaging = MessagingModule.forRoot({
      source: `squares-${role}`,
      transports: { main: this.#place.transport },
      roles: ['publish', 'handle'],
      logger,
    });
    const providers = [{ provide: COUNT, useValue: count }, ExitHandler, WORK[role]];
    this.#app = await NestFactory.createApplicationContext(
      { module: MemberModule, imports: [messaging], providers },
      { abortOnError: false, logger: ['warn', 'error'] },
    );
    if (this.alone) this.#app.enableShutdownHooks();
    void this.#app.get(ExitHandler).heard.then((sum) => this.#close(sum));
  }

  draw(): Promise<string> {
    if (!this.#app) throw new Error(`${this.name}: expected to be started before it draws`);
    return this.#app.get(NumberProducer).draw(this.orders.count);
  }

  kill(): void {
    void this.#close(undefined);
  }

  /** The first to come counts. */
  async #close(heard: string | undefined): Promise<void> {
    try {
      await this.#app?.close();
      await this.#place?.close();
      this.#leave({ heard, problem: heard === undefined ? 'had to be ended' : undefined });
    } catch (thrown) {
      this.#leave({ heard, problem: asError(thrown).message });
    }
  }
}

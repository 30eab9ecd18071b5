import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describeOn, server, until } from '@tidings/testing';
import { closeAll } from '../test-application.fixture';
import { CallbackGround, KINDS, patient } from './callback-ground.fixture';
import type { SenderOrders } from './sender-process.fixture';

jest.setTimeout(90_000);

describeOn('postgres', 'A sender that is killed', (url) => {
  let ground: CallbackGround;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    ground = await CallbackGround.at(url);
  });
  beforeEach(() => ground.reset());
  afterEach(async () => {
    if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await closeAll();
  });
  afterAll(() => ground.close());

  /** Another process of the service whose application is here. Resolves when it is dead, by its own hand. */
  const dieOf = async (orders: Pick<SenderOrders, 'id' | 'dies'>, kind: (typeof KINDS)[number]): Promise<void> => {
    const sources = join(__dirname, '../../../testing/register-sources.cjs');
    child = fork(join(__dirname, 'sender-process.fixture.ts'), {
      execArgv: ['--require', sources],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const { schema, namespace } = ground.spec;
    const rabbit = kind === 'rabbitmq' ? { rabbit: server('rabbitmq')! } : {};
    child.send({ url, schema, namespace, ...rabbit, ...orders } satisfies SenderOrders);
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  };

  describe.each(KINDS)('on %s', (kind) => {
    it('between its commit and its message has the message sent by another process of its service', async () => {
      const { desk } = await ground.start(kind);
      const id = `orphan on ${kind}`;
      await dieOf({ id, dies: 'committed' }, kind);
      expect(await ground.spec.query('select room from closing')).toEqual([{ room: id }]); // committed it is
      await until('it has arrived', async () => (await ground.handled(id)) === 1, patient);
      await until('it is confirmed', async () => (await desk.measures()).unconfirmed.messages === 0, patient);
      const { resends, never, falseAlarms } = await desk.measures();
      expect({ never, falseAlarms }).toEqual({ never: 0, falseAlarms: 0 });
      expect(resends).toBeGreaterThanOrEqual(1);
      expect(await ground.handled(id)).toBe(1);
    });

    it('between its recheck and its commit has sent nothing, and nobody makes it up', async () => {
      const { desk } = await ground.start(kind);
      const id = `unborn on ${kind}`;
      await dieOf({ id, dies: 'open' }, kind);
      await until('its service has told', async () => (await desk.measures()).never === 1, patient);
      expect((await desk.measures()).unconfirmed.messages).toBe(0);
      expect([await ground.handled(id), await ground.spec.query('select room from closing')]).toEqual([0, []]);
    });
  });
});

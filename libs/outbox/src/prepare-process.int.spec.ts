import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@tidings/core';
import { memory } from '@tidings/memory';
import { describeOn } from '@tidings/testing';
import { CheckBack } from './check-back';
import { checkBackOptions } from './check-back.options';
import type { PrepareOrders, PrepareStep } from './prepare-process.fixture';
import { SpecOutbox } from './spec-outbox.fixture';

describeOn('postgres', 'a process that prepares a message, operates and is killed', (url) => {
  let spec: SpecOutbox;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    spec = await SpecOutbox.open(url);
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await spec.close();
  });

  /** Asks the business data, as a user's handler does. */
  const checkBack = (): CheckBack => {
    const task = new CheckBack({
      store: spec.store,
      prepared: spec.outbox({ main: memory() }).prepared,
      deadLetters: spec.sink,
      options: checkBackOptions.parse({}),
      instance: 'another',
      clock: systemClock,
      logger: silentLogger,
    });
    task.answer('gift.sent', async ({ message }, transaction) => {
      const text = `select from ${spec.schema}.gift where id = $1`;
      const { rowCount } = await transaction.query({ text, values: [message.id] });
      return rowCount > 0 ? 'commit' : 'rollback';
    });
    return task;
  };

  it.each<[PrepareStep, number]>([
    ['prepared', 0],
    ['operated', 1],
    ['committing', 1],
    ['committed', 1],
  ])('when it was killed at %s, another process makes messages leave: %s', async (hangAt, messages) => {
    child = fork(join(__dirname, 'prepare-process.fixture.ts'), {
      execArgv: ['--require', join(__dirname, '../../testing/register-sources.cjs')],
    });
    const orders: PrepareOrders = { url, schema: spec.schema, hangAt };
    child.send(orders);
    expect(await once(child, 'message')).toEqual([hangAt, undefined]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await spec.dataSource.query(
      `create or replace function ${spec.schema}.now() returns timestamptz language sql volatile parallel safe as
         'select clock_timestamp() + interval ''2 minutes'''`,
    );
    // The server needs a moment to see that the killed process's transaction is over; its row is passed over until then.
    for (let asked = false; !asked; asked = (await spec.outbox({ main: memory() }).prepared.undecided()).length === 0) {
      await checkBack().runOnce();
      await spec.dataSource.query(
        `update ${spec.schema}.prepared set check_at = prepared_at where status = 'undecided'`,
      );
    }
    expect(await spec.rows()).toBe(messages);
  });
});

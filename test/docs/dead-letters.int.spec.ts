import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testMessage, describeOn, server, until } from '@tidings/testing';
import { postgres } from '@tidings/postgres';
import { NightDesk } from '../../docs/snippets/dead-letters';
import { closeAll } from '../../libs/messaging/src/test-application.fixture';
import { RedriveApplication } from '../redrive/redrive-application.fixture';

// What docs/dead-letters.md shows has run, from the first look to the purge.
describeOn('postgres', "the dead letters' page", () => {
  it('finds, tries, redrives, edits, discards, exports, imports and purges', async () => {
    const application = await RedriveApplication.start(server('postgres')!, (store) => postgres({ store }));
    const { letters } = application;
    const lines = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const file = join(tmpdir(), `${randomUUID()}.ndjson`);
    try {
      for (let n = 0; n < 6; n++) {
        const message = testMessage({ id: `g${n}`, payload: { room: `r${n}`, coins: n }, key: null });
        const failures = [{ attempt: 1, at: '', instance: '', errors: [{ name: 'Error', message: `no room ${n}` }] }];
        await letters.bury({ message, direction: 'inbound', place: 'ranking', transport: 'main', reason: `no room ${n}`, attempts: 1, failures }); // prettier-ignore
      }
      const desk = new NightDesk(letters);
      await desk.look();
      const ids = (await letters.list()).map(({ id }) => id);
      const [group] = await letters.groups();
      await letters.edit(ids[4]!, { by: 'a', reason: 'b', headers: {} });
      await desk.carry(file);
      await letters.discard(ids[5]!, { by: 'a', reason: 'b' });
      const job = await desk.send(group!.value, ids[0]!);
      await until('the job is done', async () => (await letters.redriveJobs.find(job))?.status === 'done', { withinMs: 60_000 }); // prettier-ignore
      await application.ranked(5);
      await desk.mend(ids[4]!, ids[5]!);
      expect(lines.mock.calls.flat()).toEqual(expect.arrayContaining(['6', 'would-succeed', 'redriven']));
    } finally {
      lines.mockRestore();
      await rm(file, { force: true });
      await closeAll();
      await application.drop();
    }
  }, 120_000);
});

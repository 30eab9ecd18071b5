import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { type ApplicationDeadLetters, InjectDeadLetters } from '@tidings/messaging';

// The code that docs/dead-letters.md shows, as regions of a file that is compiled and run (test/docs/dead-letters.int.spec.ts).

@Injectable()
export class NightDesk {
  constructor(@InjectDeadLetters() private readonly deadLetters: ApplicationDeadLetters) {}

  async look(): Promise<void> {
    const { deadLetters } = this;
    // #region groups
    for (const { value, count, orMore, firstAt, lastAt, example } of await deadLetters.groups()) {
      console.log(value, `${count}${orMore ? ' or more' : ''}`, firstAt, lastAt, example.place, example.reason);
    }
    // #endregion
    // #region find
    const [newest] = await deadLetters.list({ place: 'ranking', text: 'no room', order: 'newest', limit: 1 });
    if (!newest) return;
    const letter = await deadLetters.find(newest.id); // the message, each failure with its stack, what was done to it
    const sameTrace = newest.traceId ? await deadLetters.list({ traceId: newest.traceId }) : [];
    // #endregion
    console.log(letter?.failures, sameTrace.length);
  }

  async send(failureFingerprint: string, id: string): Promise<string> {
    const { deadLetters } = this;
    // #region dry-run
    for (const { letter, outcome, checked, error } of await deadLetters.dryRun({ filter: { failureFingerprint } })) {
      console.log(letter, outcome, checked, error?.message); // 17 would-fail handler no room r1
    }
    // #endregion
    // #region redrive
    const result = await deadLetters.redrive(id); // { outcome: 'redriven', generation: 1 }
    // #endregion
    console.log(result.outcome);
    // #region job
    const job = await deadLetters.redriveJobs.start(
      { filter: { failureFingerprint } }, // or { ids: ['17', '18'] }
      { by: 'ada', reason: 'ranking 1.2 knows closed rooms', canary: 3, perSecond: 50 },
    );
    const now = await deadLetters.redriveJobs.find(job.id); // status, redriven, failed, skipped, held, detail
    // #endregion
    console.log(now?.status);
    return job.id;
  }

  async mend(id: string, other: string): Promise<void> {
    const { deadLetters } = this;
    // #region edit
    await deadLetters.edit(id, {
      payload: JSON.stringify({ room: 'r1', coins: 5 }),
      by: 'ada',
      reason: 'the sender wrote dollars',
    });
    // #endregion
    // #region discard
    await deadLetters.discard(other, { by: 'ada', reason: 'a test account' });
    // #endregion
  }

  async carry(file: string): Promise<void> {
    const { deadLetters } = this;
    // #region export
    await pipeline(Readable.from(deadLetters.export({ place: 'ranking' })), createWriteStream(file));
    const { imported, known } = await deadLetters.import(createReadStream(file), { by: 'ada', reason: 'moved' });
    // #endregion
    console.log(imported, known);
    // #region purge
    await deadLetters.purge({ olderThanMs: 90 * 86_400_000 });
    // #endregion
  }
}

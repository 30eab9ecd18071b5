import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { Readable } from 'node:stream';
import { DataSource, MoreThan } from 'typeorm';
import { z } from 'zod';
import type { LedgerEntryView, LedgerPage } from '@tidings/gift-contracts';
import { SchemaPipe } from '@tidings/gift-platform';
import { LedgerEntryEntity, viewOf } from './ledger-entry.entity';

const PAGE = 1_000;

const ledgerQuery = z.object({
  /** The id of the last entry already seen. */
  after: z.coerce.number().pipe(z.int().min(0)).default(0),
  limit: z.coerce.number().pipe(z.int().min(1).max(10_000)).default(PAGE),
  format: z.enum(['json', 'ndjson']).default('json'),
});

@Controller('ledger')
export class LedgerController {
  constructor(private readonly dataSource: DataSource) {}

  /** A page as JSON; with `format=ndjson` everything past `after`, one entry a line, streamed page by page whatever its size. */
  @Get()
  async ledger(
    @Query(new SchemaPipe(ledgerQuery, 'query')) query: z.output<typeof ledgerQuery>,
  ): Promise<LedgerPage | StreamableFile> {
    if (query.format === 'ndjson') {
      return new StreamableFile(Readable.from(this.lines(query.after)), { type: 'application/x-ndjson' });
    }
    const entries = await this.page(query.after, query.limit);
    return { entries, next: entries.length === query.limit ? (entries.at(-1)?.id ?? null) : null };
  }

  private async *lines(after: number): AsyncGenerator<string> {
    for (let last: number | undefined = after; last !== undefined;) {
      const entries = await this.page(last, PAGE);
      if (entries.length > 0) yield entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      last = entries.length === PAGE ? entries.at(-1)?.id : undefined;
    }
  }

  private async page(after: number, limit: number): Promise<LedgerEntryView[]> {
    const entries = await this.dataSource.manager.find(LedgerEntryEntity, {
      where: { id: MoreThan(after) },
      order: { id: 'asc' },
      take: limit,
    });
    return entries.map(viewOf);
  }
}

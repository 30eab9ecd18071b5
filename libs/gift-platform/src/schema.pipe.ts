import { BadRequestException, type PipeTransform } from '@nestjs/common';
import type { z } from 'zod';

/** Checks a body, a query or a parameter against a schema; what does not fit is 400 and names the field. */
export class SchemaPipe<Schema extends z.ZodType> implements PipeTransform<unknown, z.output<Schema>> {
  constructor(
    private readonly schema: Schema,
    private readonly subject = 'body',
  ) {}

  transform(value: unknown): z.output<Schema> {
    const result = this.schema.safeParse(value);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const path = [this.subject, ...(issue?.path ?? [])].map(String).join('.');
    throw new BadRequestException(`${path}: ${issue?.message ?? 'is not valid'}`);
  }
}

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OptionsError, TidingsError } from './errors';

const nameOf = (path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[] | undefined): string[] =>
  (path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment));

/**
 * Checks options against a Standard Schema and returns them with their defaults. Synchronous, for use in constructors.
 *
 * @throws OptionsError that names the first bad option by its path below `subject`.
 */
export function parseOptions<Schema extends StandardSchemaV1>(
  subject: string,
  schema: Schema,
  input: unknown,
): StandardSchemaV1.InferOutput<Schema> {
  const result = schema['~standard'].validate(input);
  if (result instanceof Promise)
    throw new TidingsError('TIDINGS_SCHEMA', `${subject}: an options schema must be synchronous`);
  if (!result.issues) return result.value;
  const [issue] = result.issues;
  throw new OptionsError([subject, ...nameOf(issue?.path)].join('.'), issue?.message ?? 'is not valid');
}

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ContractError, NewerVersionError, TidingsError } from '../errors';
import { type Codec, jsonCodec } from './codec';
import type { Message } from './message';

/** A payload of an older version, one step newer. Pure. */
export type Upcast = (older: never) => unknown;

export interface ContractOptions<Schema extends StandardSchemaV1> {
  /** 1 or more; raised whenever old readers could not read the new form. Default 1. */
  readonly version?: number;
  /** Any Standard Schema (zod, valibot, arktype …); checked at publish and at delivery. */
  readonly schema: Schema;
  /** The key whose messages keep their order. Default: no key. */
  readonly key?: (payload: StandardSchemaV1.InferOutput<Schema>) => string;
  /** Where it is published. Default: the type. */
  readonly topic?: string;
  /** Step N turns a payload of version N into one of N + 1. Every older version that may still arrive needs its step. */
  readonly upcast?: Readonly<Record<number, Upcast>>;
  /** Default JSON. */
  readonly codec?: Codec;
  /**
   * True: a receiver may refuse a message for good (`RefusedError`), and its sender undoes what it did then (`@Compensate`). Each service that publishes it
   * needs such a handler, else a refusal reaches nobody and ends as an outbound dead letter. Default false.
   */
  readonly refusable?: boolean;
}

/** What sender and receiver agree on. Made by `defineMessage`, shared as code; never names a transport: routes do. */
export interface MessageContract<Payload = unknown, Input = Payload> {
  readonly type: string;
  readonly version: number;
  readonly topic: string;
  readonly contentType: string;
  /** Its sender compensates refusals. */
  readonly refusable?: boolean;
  keyOf(payload: Payload): string | null;
  /** Validates and encodes. @throws ContractError that names the bad field. */
  encode(input: Input): Promise<{ readonly payload: Payload; readonly bytes: Uint8Array }>;
  /** Decodes, upcasts and validates. @throws ContractError, or NewerVersionError for a version this process does not know. */
  decode(message: Pick<Message, 'type' | 'version' | 'payload'>): Promise<Payload>;
}

/** The payload's type as a handler receives it. */
export type PayloadOf<Contract> = Contract extends MessageContract<infer Payload, never> ? Payload : never;

/**
 * Defines a contract.
 *
 * @throws TidingsError for an empty type, a version below 1 or a gap in `upcast`: a gap would be found only when an old message arrives.
 */
export function defineMessage<Schema extends StandardSchemaV1>(
  type: string,
  options: ContractOptions<Schema>,
): MessageContract<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>> {
  type Payload = StandardSchemaV1.InferOutput<Schema>;
  const { version = 1, schema, key, topic = type, upcast = {}, codec = jsonCodec, refusable = false } = options;
  checkVersions(type, version, upcast);

  const validate = async (value: unknown, of: number): Promise<Payload> => {
    const result = await schema['~standard'].validate(value);
    if (!result.issues) return result.value;
    const [issue] = result.issues;
    const path = (issue?.path ?? []).map((s) => String(typeof s === 'object' ? s.key : s)).join('.') || 'payload';
    throw new ContractError(type, of, `${path}: ${issue?.message ?? 'is not valid'}`);
  };

  return Object.freeze({
    type,
    version,
    topic,
    contentType: codec.contentType,
    ...(refusable && { refusable }),
    keyOf: (payload: Payload) => key?.(payload) ?? null,
    async encode(input: StandardSchemaV1.InferInput<Schema>) {
      const payload = await validate(input, version);
      try {
        return { payload, bytes: codec.encode(payload) };
      } catch (cause) {
        throw new ContractError(type, version, `cannot be encoded: ${String(cause)}`, { cause });
      }
    },
    async decode(message: Pick<Message, 'type' | 'version' | 'payload'>) {
      if (message.version > version) throw new NewerVersionError(type, message.version, version);
      let value: unknown;
      try {
        value = codec.decode(message.payload);
        for (let step = message.version; step < version; step++) {
          const raise = upcast[step];
          if (!raise) throw new Error(`version ${step} is no longer read: upcast has no step ${step}`);
          value = raise(value as never);
        }
      } catch (cause) {
        throw new ContractError(type, message.version, `cannot be decoded: ${String(cause)}`, { cause });
      }
      return validate(value, message.version);
    },
  });
}

function checkVersions(type: string, version: number, upcast: Readonly<Record<number, Upcast>>): void {
  const fail = (problem: string): never => {
    throw new TidingsError('TIDINGS_CONTRACT_DEFINITION', `contract ${type}: ${problem}`);
  };
  if (type === '') fail('type must not be empty');
  if (!Number.isInteger(version) || version < 1) fail(`version must be a whole number from 1, found ${version}`);
  const steps = Object.keys(upcast)
    .map(Number)
    .sort((a, b) => a - b);
  const first = steps[0] ?? version;
  for (let step = first; step < version; step++) {
    if (!upcast[step]) fail(`upcast has no step ${step}; every version from ${first} to ${version - 1} needs one`);
  }
  if (steps.some((step) => step < 1 || step >= version)) fail(`upcast has a step outside 1 to ${version - 1}`);
}

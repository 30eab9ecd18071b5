import { ContractError } from '../errors';
import { jsonCodec } from '../message/codec';
import type { ResponderFailure } from './request.errors';

/** Longer messages are cut: a reply must fit wherever the request did. */
const MAX_MESSAGE = 2_000;

/** Name, code and message of an error; never its stack or cause, which are the responder's own. */
export function failureBytes(error: Error): Uint8Array {
  const code = (error as { code?: unknown }).code;
  return jsonCodec.encode({
    name: error.name,
    ...(typeof code === 'string' && { code }),
    message: error.message.slice(0, MAX_MESSAGE),
  } satisfies ResponderFailure);
}

/** @throws ContractError when it is none. */
export function failureIn(type: string, payload: Uint8Array): ResponderFailure {
  let read: unknown;
  try {
    read = jsonCodec.decode(payload);
  } catch (cause) {
    throw new ContractError(type, 1, `a failed responder's reply cannot be decoded: ${String(cause)}`, { cause });
  }
  const { name, code, message } = (typeof read === 'object' && read !== null ? read : {}) as Record<string, unknown>;
  return {
    name: typeof name === 'string' ? name : 'Error',
    ...(typeof code === 'string' && { code }),
    message: typeof message === 'string' ? message : 'no reason given',
  };
}

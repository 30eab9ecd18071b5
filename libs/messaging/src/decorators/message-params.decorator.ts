import type { PipeTransform, Type } from '@nestjs/common';

/** Where the parameters of a message handler are kept. A key of our own, for the method may be an HTTP handler as well. */
export const MESSAGE_PARAMS = 'tidings:params';

/**
 * The kinds of parameters. PAYLOAD has the number of Nest's BODY, for Nest tells pipes the kind by it, and a ValidationPipe checks a "body" but
 * leaves everything unknown alone.
 */
export const MESSAGE_PARAM = { PAYLOAD: 3, CONTEXT: 101, HEADERS: 102 } as const;

// Nest's own keys, by value: `@nestjs/common/constants` is no public path.
const NEST_PARAMS = '__routeArguments__';
const NEST_CUSTOM_PARAM = '__customRouteArgs__';

export type ParamPipe = Type<PipeTransform> | PipeTransform;

export interface MessageParam {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes: readonly ParamPipe[];
}

/** In the form that Nest's ExternalContextCreator reads: `<kind>:<index>`. */
export type MessageParams = Readonly<Record<string, MessageParam>>;

const param =
  (kind: number, given: readonly (string | ParamPipe | undefined)[]): ParameterDecorator =>
  (target, method, index) => {
    if (method === undefined) return;
    const [first, ...rest] = given;
    const named = typeof first === 'string';
    const pipes = (named ? rest : given).filter(
      (pipe): pipe is ParamPipe => typeof pipe !== 'string' && pipe !== undefined,
    );
    const known = (Reflect.getOwnMetadata(MESSAGE_PARAMS, target.constructor, method) ?? {}) as MessageParams;
    const params: MessageParams = { ...known, [`${kind}:${index}`]: { index, pipes, ...(named && { data: first }) } };
    Reflect.defineMetadata(MESSAGE_PARAMS, params, target.constructor, method);
    if (pipes.some((pipe) => typeof pipe === 'function')) announce(pipes, target, method, index);
  };

/** Nest makes a pipe of its class only when it finds the class among a method's HTTP parameters; else it would be skipped without a word. */
function announce(pipes: readonly ParamPipe[], target: object, method: string | symbol, index: number): void {
  const known = (Reflect.getOwnMetadata(NEST_PARAMS, target.constructor, method) ?? {}) as MessageParams;
  Reflect.defineMetadata(NEST_PARAMS, { ...known, [`tidings:${index}`]: { index, pipes } }, target.constructor, method);
}

/** The payload, or one property of it. Pipes of a handler without any parameter decorator see the payload all the same. */
export function Payload(...pipes: ParamPipe[]): ParameterDecorator;
export function Payload(property: string, ...pipes: ParamPipe[]): ParameterDecorator;
export function Payload(...given: (string | ParamPipe)[]): ParameterDecorator {
  return param(MESSAGE_PARAM.PAYLOAD, given);
}

/** The MessageContext: the message, the attempt, the inbox's transaction. */
export const Ctx = (): ParameterDecorator => param(MESSAGE_PARAM.CONTEXT, []);

/** The message's headers, or one of them. */
export const Headers = (name?: string, ...pipes: ParamPipe[]): ParameterDecorator =>
  param(MESSAGE_PARAM.HEADERS, name === undefined ? pipes : [name, ...pipes]);

/** Without decorators a handler takes (payload, context). */
const POSITIONAL: MessageParams = {
  [`${MESSAGE_PARAM.PAYLOAD}:0`]: { index: 0, pipes: [] },
  [`${MESSAGE_PARAM.CONTEXT}:1`]: { index: 1, pipes: [] },
};

/** Completes a method's parameters when `@OnMessage` is applied, that is, after its parameters' decorators: those of `createParamDecorator` work too. */
export function completeParams(target: object, method: string | symbol): void {
  const nest = (Reflect.getOwnMetadata(NEST_PARAMS, target.constructor, method) ?? {}) as MessageParams;
  const custom = Object.entries(nest).filter(([key]) => key.includes(NEST_CUSTOM_PARAM));
  const ours = Reflect.getOwnMetadata(MESSAGE_PARAMS, target.constructor, method) as MessageParams | undefined;
  const params = ours || custom.length > 0 ? { ...ours, ...Object.fromEntries(custom) } : POSITIONAL;
  Reflect.defineMetadata(MESSAGE_PARAMS, params, target.constructor, method);
}

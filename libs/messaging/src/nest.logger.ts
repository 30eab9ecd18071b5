import { Logger } from '@nestjs/common';
import type { TidingsLogger } from '@tidings/core';

const isError = (value: unknown): value is Error => value instanceof Error;

/** `message group=ranking attempt=2: the error's message`, for Nest's loggers print objects over many lines. */
function lineOf(fields: object, message: string): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined && !isError(value));
  const errors = Object.values(fields).filter(isError);
  const text = pairs.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [message, ...text].join(' ') + errors.map((error) => `: ${error.message}`).join('');
}

const stackOf = (fields: object): string | undefined => Object.values(fields).find(isError)?.stack;

/** Tidings' log lines through whatever logger the application gave Nest. */
export function nestLogger(logger: Logger = new Logger('Tidings')): TidingsLogger {
  return {
    debug: (fields, message) => logger.debug(lineOf(fields, message)),
    info: (fields, message) => logger.log(lineOf(fields, message)),
    warn: (fields, message) => logger.warn(lineOf(fields, message)),
    error: (fields, message) => {
      const stack = stackOf(fields);
      if (stack === undefined) logger.error(lineOf(fields, message));
      else logger.error(lineOf(fields, message), stack);
    },
  };
}

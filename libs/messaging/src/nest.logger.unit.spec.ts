import { Logger } from '@nestjs/common';
import { nestLogger } from './nest.logger';

describe('nestLogger', () => {
  it('writes one line through the logger that the application gave Nest, with the stack of an error', () => {
    const lines: unknown[][] = [];
    const record =
      (level: string) =>
      (...given: unknown[]) =>
        void lines.push([level, ...given]);
    const levels = ['log', 'warn', 'error', 'debug', 'verbose', 'fatal'] as const;
    const application = Object.fromEntries(levels.map((level) => [level, record(level)]));
    Logger.overrideLogger(application as never);
    try {
      const logger = nestLogger();
      const err = new Error('no such room');
      logger.debug({ group: 'ranking', handler: undefined }, 'handled');
      logger.info({ subscriptions: 2 }, 'receiving');
      logger.warn({ attempt: 1, err }, 'failed, will be retried');
      logger.error({ err }, 'failed');
      logger.error({}, 'lost');
      expect(lines).toEqual([
        ['debug', 'handled group=ranking', 'Tidings'],
        ['log', 'receiving subscriptions=2', 'Tidings'],
        ['warn', 'failed, will be retried attempt=1: no such room', 'Tidings'],
        ['error', 'failed: no such room', err.stack, 'Tidings'],
        ['error', 'lost', undefined, 'Tidings'],
      ]);
    } finally {
      Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose', 'fatal']);
    }
  });
});

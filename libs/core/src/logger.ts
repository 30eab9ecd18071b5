/** What Tidings logs to. Nest's Logger, pino and console all fit. Fields come first, as in pino. */
export interface TidingsLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLogger: TidingsLogger = { debug() {}, info() {}, warn() {}, error() {} };

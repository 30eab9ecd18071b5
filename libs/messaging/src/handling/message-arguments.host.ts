import type { ArgumentsHost } from '@nestjs/common';
import { MESSAGE_CONTEXT_TYPE } from '../tidings-context';

/** What an exception filter sees of a message: `[payload, context]`, also by the names that Nest's RPC filters use. */
export class MessageArgumentsHost {
  constructor(private readonly args: readonly unknown[]) {}

  getType(): string {
    return MESSAGE_CONTEXT_TYPE;
  }

  getArgs(): readonly unknown[] {
    return this.args;
  }

  getArgByIndex(index: number): unknown {
    return this.args[index];
  }

  switchToRpc() {
    return { getData: () => this.args[0], getContext: () => this.args[1] };
  }

  switchToHttp() {
    return { getRequest: () => this.args[0], getResponse: () => this.args[1], getNext: () => this.args[2] };
  }

  switchToWs() {
    return { getClient: () => this.args[0], getData: () => this.args[1], getPattern: () => this.args[2] };
  }
}

export const hostOf = (args: readonly unknown[]): ArgumentsHost =>
  new MessageArgumentsHost(args) as unknown as ArgumentsHost;

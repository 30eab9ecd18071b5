import type { Destination, Routes } from '@tidings/outbox';
import { MessagingConfigurationError, namesOf } from '../messaging.errors';
import type { Route } from './route';

/** Finds the transports of a contract: by the first route that matches, else the only transport there is. */
export class ContractRouter {
  constructor(
    private readonly routes: readonly Route[],
    private readonly transports: readonly string[],
  ) {}

  /** @throws MessagingConfigurationError when no route matches and there are several transports. */
  readonly destinationsOf: Routes = ({ type }) => {
    const found = this.find(type);
    if (found) return found;
    throw new MessagingConfigurationError(
      `contract ${type}`,
      `expected a route, since there are several transports (${namesOf(this.transports)}), found none that matches; ` +
        `add route('${type}').to('${this.transports[0] ?? 'main'}') to messaging.routes`,
    );
  };

  /** The same, with nothing for a contract that no route matches. */
  find(type: string): readonly Destination[] | undefined {
    const match = this.routes.find((route) => route.matches(type));
    if (match) return match.transports.map((transport) => ({ transport }));
    const [transport, ...others] = this.transports;
    return transport !== undefined && others.length === 0 ? [{ transport }] : undefined;
  }
}

/** How a member left. */
export interface Departure {
  /** The sum that the broadcast told it; undefined: it left without hearing it. */
  readonly heard: string | undefined;
  /** What was wrong with its end; undefined: nothing. */
  readonly problem: string | undefined;
}

/** One that takes part, in this process or in one of its own. */
export interface Member {
  readonly name: string;
  /** Resolves when it hears everything that is meant for it. */
  start(): Promise<void>;
  /** Of the producer: draws the numbers, and resolves with the sum of their squares. */
  draw(): Promise<string>;
  /** Resolves, and never rejects, when it has gone: by the broadcast, or otherwise. */
  readonly left: Promise<Departure>;
  /** Ends it at once. */
  kill(): void;
}

export type Role = 'producer' | 'squarer' | 'summer';

export interface MemberOrders<Place = unknown> {
  readonly name: string;
  readonly role: Role;
  readonly count: number;
  readonly place: Place;
}

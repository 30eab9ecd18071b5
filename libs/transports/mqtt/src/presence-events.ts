import type { Consumer } from './group-presence';

/** A consumer of a group came or went. */
export interface PresenceEvent {
  /** `died`: its connection ended without a word, and its last will told; or it was silent for three `presenceMs`. */
  readonly kind: 'joined' | 'left' | 'died';
  readonly topic: string;
  readonly group: string;
  /** The same for the consumer's whole life. */
  readonly consumer: string;
}

const eventOf = (kind: PresenceEvent['kind'], { topic, group, id }: Consumer): PresenceEvent => ({
  kind,
  topic,
  group,
  consumer: id,
});

/** What changed for whoever watches, between two messages of one process about itself. `how`: what became of those that it names no more. */
export function presenceEvents(
  before: readonly Consumer[],
  after: readonly Consumer[],
  how: 'left' | 'died',
): readonly PresenceEvent[] {
  const isIn = (all: readonly Consumer[], { id }: Consumer): boolean => all.some((one) => one.id === id);
  return [
    ...after.filter((one) => !isIn(before, one)).map((one) => eventOf('joined', one)),
    ...before.filter((one) => !isIn(after, one)).map((one) => eventOf(how, one)),
  ];
}

import { defineMessage, type Statement, type Store } from '@tidings/core';
import { z } from 'zod';

const step = z.object({ room: z.string(), n: z.number(), fails: z.number() });
export type Step = z.infer<typeof step>;

/** The `n`th message of a room fails so many times before it succeeds. */
export const Steps = defineMessage('step.taken', {
  schema: step,
  key: ({ room }) => room,
});

/** The process ends itself, as SIGKILL does it, at its next statement with this text: before the server gets it, or when it has run. */
export interface Doom {
  readonly text: string;
  readonly when: 'unsent' | 'unheard';
}

/** At each of these, in both ways. */
export const doomsAt = (texts: readonly string[]): readonly Doom[] =>
  texts.flatMap((text) => [
    { text, when: 'unsent' as const },
    { text, when: 'unheard' as const },
  ]);

let doom: Doom | undefined;

export const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

/** How the process is doomed at this statement, or deed. */
export const doomedBy = (text: string): Doom['when'] | undefined =>
  doom && text.includes(doom.text) ? doom.when : undefined;

/** The store of a process that may be doomed. */
export const mortal = (store: Store): Store =>
  new Proxy(store, {
    get: (target, property) => {
      const found: unknown = Reflect.get(target, property);
      if (property !== 'query') return typeof found === 'function' ? (found.bind(target) as unknown) : found;
      return async (statement: Statement) => {
        const end = doomedBy(statement.text);
        if (end === 'unsent') return die();
        const result = await target.query(statement);
        return end === 'unheard' ? die() : result;
      };
    },
  });

/** The main program of a process of a ProcessCrew: takes its orders, says that it is ready, and hears of its doom. */
export function obey<Orders>(module: NodeJS.Module, run: (orders: Orders) => Promise<void>): void {
  if (!process.send || require.main !== module) return;
  process.once('message', (orders: Orders) => {
    process.on('message', (next: { doom?: Doom }) => (doom = next.doom));
    void run(orders).then(() => process.send!('ready'));
  });
  process.once('disconnect', () => process.exit(0)); // the spec died: leave no orphan
}

import { TidingsError } from '@tidings/core';

/** A letter cannot be redriven from this process. */
export class RedriveError extends TidingsError {
  constructor(
    readonly letter: string,
    readonly transport: string,
  ) {
    super(
      'TIDINGS_REDRIVE',
      `dead letter ${letter}: expected transport ${transport}, on which it failed, found none of that name; redrive it in a process that has it`,
    );
  }
}

/** An edit would make a letter that its group can never handle in its place. */
export class LetterEditError extends TidingsError {
  constructor(
    readonly letter: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super('TIDINGS_LETTER_EDIT', `dead letter ${letter}: ${problem}`, options);
  }
}

/** A line of an import is no letter; nothing of the import was filed. */
export class LetterImportError extends TidingsError {
  constructor(
    /** From 1. */
    readonly line: number,
    /** As `message.payload`; `line` when it is no JSON object at all. */
    readonly field: string,
    problem: string,
  ) {
    super('TIDINGS_LETTER_IMPORT', `line ${line}, ${field}: ${problem}; nothing was imported`);
  }
}

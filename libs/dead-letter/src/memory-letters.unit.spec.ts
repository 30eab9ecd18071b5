import { deadLetterDeskConformance } from './dead-letter-desk.conformance';
import { deadLettersConformance } from './dead-letters.conformance';
import { memoryLetters } from './memory-letters';
import { TableDeadLetters } from './table-dead-letters';

describe('dead letters in memory', () => {
  let letters: TableDeadLetters;
  let elsewhere: TableDeadLetters;
  beforeEach(() => {
    letters = new TableDeadLetters(memoryLetters());
    elsewhere = new TableDeadLetters(memoryLetters());
  });

  deadLettersConformance(() => letters);

  describe('for people', () => {
    deadLetterDeskConformance(
      () => letters,
      () => elsewhere,
    );
  });
});

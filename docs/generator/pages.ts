import { choosingPage } from './choosing-page';
import { conformancePage } from './conformance-page';
import type { Results } from './results';

/** Each generated page by its path: a pure function of the results and of what docs/generator says. */
export const pages = (results: Results): Readonly<Record<string, string>> => ({
  'docs/conformance.md': conformancePage(results),
  'docs/choosing-a-transport.md': choosingPage(results),
});

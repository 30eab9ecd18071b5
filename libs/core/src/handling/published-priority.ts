import { HEADERS } from '../message/headers';
import type { Message } from '../message/message';

/** The `priority` that a message was published with; 0 without one, and for a foreign sender's nonsense. */
export const publishedPriority = ({ headers }: Message): number => Number(headers[HEADERS.priority] ?? 0) || 0;

import type { Message, OutgoingMessage } from '../../message/message';
import type { PublishResult } from '../publisher';
import type { Transport } from '../transport';

/**
 * Optional power: an answer finds the process that asked, and nobody else. The address travels in the request's header `replyto`
 * (docs/wire-format.md); it means something to this transport only.
 */
export interface RequestReply {
  /**
   * Opens an address of this process; several may be open at once. `receive` is called for each reply that comes, also for one that nobody waits for any
   * more, and for copies; it must not throw. After a lost connection the address opens itself anew; replies to what was asked before may be lost then.
   * Connects first, if nobody has.
   */
  openReplies(receive: (reply: Message) => void): Promise<ReplyAddress>;
  /**
   * Sends a reply to the address of a request. Confirmed when the broker has it, which promises no more: a reply is never durable. `unroutable` when the
   * transport can tell that the address is gone.
   */
  reply(to: string, reply: Message): Promise<PublishResult>;
}

/** Where replies of one process arrive. */
export interface ReplyAddress {
  /** Publishes a request whose replies come here: what `Publisher.publish` does for one message, and promises. */
  ask(request: OutgoingMessage): Promise<PublishResult>;
  /** No reply is received from now on. Safe twice. */
  close(): Promise<void>;
}

export const hasRequestReply = (transport: Transport): transport is Transport & RequestReply =>
  'openReplies' in transport && 'reply' in transport;

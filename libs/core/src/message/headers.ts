/** Header names that Tidings gives a meaning. Everything else in `Message.headers` is the user's. */
export const HEADERS = {
  /** W3C Trace Context, level 1. */
  traceparent: 'traceparent',
  /** W3C Trace Context, level 1. */
  tracestate: 'tracestate',
  /** One id for all messages of one conversation; copied from the message that is being handled. */
  correlationId: 'correlationid',
  /** The id of the message whose handling published this one. */
  causationId: 'causationid',
  /** Of a request: where its replies go, an address of the transport's making. */
  replyTo: 'replyto',
  /** Of a request and its reply: what brings them together. */
  requestId: 'requestid',
  /** Of a reply: the responder failed, and the payload says why. */
  replyFailed: 'replyfailed',
  /** `1`: the sender undoes what it did when the message is refused (`@Compensate`). */
  refusable: 'refusable',
  /** Of a refusal: the group that refused. */
  refusedBy: 'refusedby',
  /** Of a refusal: why, cut to 1,000 characters. */
  refusedReason: 'refusedreason',
  /** Reserved for tenancy: column, attribute and metric label. */
  tenant: 'tenant',
  /** `ttlMs` of a publish; for transports that have it, passed on by the others. */
  ttlMs: 'tidings-ttl-ms',
  /** `priority` of a publish; as above. */
  priority: 'tidings-priority',
  /** Of a message that its groups are to confirm to the callback service: `1`, or `again` when it was sent again. */
  confirm: 'tidings-confirm',
} as const;

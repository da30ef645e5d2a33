/** What a part of the node does that takes webhooks from the inbox. */

export interface HookDelivery {
  /** The sender's, or the edge's where it gave none. The same each time that this webhook comes. */
  readonly id: string;
  /** When the edge took it (ms since the Unix epoch, to the second). */
  readonly receivedAt: number;
  /** Those headers of the sender's that are kept, by lower-case name; its own signature among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** 1, or more after failures and restarts. */
  readonly attempt: number;
}

export interface HookHandler {
  /**
   * Called one by one for a hook, in the order in which webhooks came, and at least once for each: after a crash the same
   * `id` comes again. When it resolves, the webhook is done; when it rejects, it comes again later, and those behind it
   * wait. `signal` aborts when the node stops and when the handler takes longer than its deadline.
   */
  onHook(hook: string, delivery: HookDelivery, signal: AbortSignal): Promise<void>;
}

/** What the edge asks of whoever sends to the hook. */
export interface HookTerms {
  /** `whsec_…`: the sender signs with it, as Standard Webhooks says; undefined: anybody may send. */
  readonly secret?: string | undefined;
  readonly maxBytes?: number | undefined;
}

/** What was seen of one run: by who called, and by the providers. */
export interface Observation {
  readonly answers: readonly Answer[];
  /** When attempts came to each provider, in ms since the run began. */
  readonly primaryAt: readonly number[];
  readonly fallbackAt: readonly number[];
  readonly prefillRefusals: number;
  readonly aliveAfter: boolean;
  /** Until when the primary is down, where it recovers. */
  readonly downMs: number;
}

/** What one call came to. */
export interface Answer {
  /** Since the run began. */
  readonly atMs: number;
  readonly tookMs: number;
  readonly outcome: "answer" | "error" | "hang";
  /** The text is the whole text. */
  readonly complete: boolean;
  /** What the client raised. */
  readonly error: string | undefined;
  /** As the answer names it. */
  readonly model: string | undefined;
  readonly tokens: number | undefined;
}

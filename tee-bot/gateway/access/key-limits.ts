/** What one key may use: requests and tokens in a minute, tokens in a month. Time is passed in. */
import { ApiError } from "../api/api-error.ts";
import type { Tokens } from "../tracking/track.ts";
import type { ApiKey } from "./api-key.ts";
import type { MonthlyUsage } from "./monthly-usage.ts";
import { rateHeaders } from "./rate-headers.ts";
import { TokenBucket } from "./token-bucket.ts";

export class KeyLimits {
  readonly #key: ApiKey;
  readonly #usage: MonthlyUsage;
  readonly #requests: TokenBucket | undefined;
  readonly #tokens: TokenBucket | undefined;
  /** Estimated tokens of calls under way, which the month's budget must still have room for. */
  #reserved = 0;

  constructor(key: ApiKey, usage: MonthlyUsage, now: number) {
    this.#key = key;
    this.#usage = usage;
    this.#requests = bucketOf(key.requestsPerMinute, now);
    this.#tokens = bucketOf(key.tokensPerMinute, now);
  }

  /** Takes a request and the tokens it is estimated to need. Throws {@link ApiError} when a limit is reached. */
  take(estimate: number, now: number): void {
    this.#checkMonth(now);
    this.#check(this.#requests, 1, "requests", this.#key.requestsPerMinute, now);
    this.#check(this.#tokens, estimate, "tokens", this.#key.tokensPerMinute, now);
    this.#requests?.take(1, now);
    this.#tokens?.take(estimate, now);
    this.#reserved += estimate;
  }

  /** The call has ended: what it used instead of what was estimated; undefined: nothing came to a provider. */
  settle(estimate: number, tokens: Tokens | undefined, now: number): void {
    const used = tokens ? tokens.prompt + tokens.completion : 0;
    this.#reserved -= estimate;
    this.#tokens?.take(used - estimate, now);
    this.#usage.add(this.#key.id, used, now);
  }

  /** The call never had its turn. */
  giveBack(estimate: number, now: number): void {
    this.#requests?.take(-1, now);
    this.settle(estimate, undefined, now);
  }

  headers(now: number): readonly string[] {
    return rateHeaders(this.#requests, this.#tokens, now);
  }

  #checkMonth(now: number): void {
    const { id, tokensPerMonth } = this.#key;
    if (tokensPerMonth === undefined) return;
    const used = this.#usage.of(id, now);
    if (used + this.#reserved < tokensPerMonth) return;
    const end = this.#usage.endOfMonth(now);
    const what = used < tokensPerMonth ? "calls under way need what is left" : `${used} are used`;
    throw new ApiError(
      "insufficient_quota",
      `This API key has ${tokensPerMonth} tokens a month, of which ${what}. Wait until ${new Date(end).toISOString()}, or use another key.`,
      // Clients of OpenAI try a 429 again by themselves; days later they need not.
      { retryAfterMs: end - now, headers: used < tokensPerMonth ? [] : ["x-should-retry", "false"] },
    );
  }

  #check(
    bucket: TokenBucket | undefined,
    amount: number,
    what: "requests" | "tokens",
    perMinute: number | undefined,
    now: number,
  ): void {
    if (!bucket || bucket.has(amount, now)) return;
    const retryAfterMs = bucket.msUntil(amount, now);
    const need = what === "tokens" ? `, and this call needs about ${amount}` : "";
    throw new ApiError(
      "rate_limit_exceeded",
      `This API key has ${perMinute} ${what} a minute${need}. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`,
      { retryAfterMs, headers: this.headers(now) },
    );
  }
}

function bucketOf(perMinute: number | undefined, now: number): TokenBucket | undefined {
  return perMinute === undefined ? undefined : new TokenBucket(perMinute, now);
}

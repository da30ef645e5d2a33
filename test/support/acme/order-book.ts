/** What the proxy learns from the traffic it passes on: orders, what they replace, how names were validated. */

export interface SeenOrder {
  /** URL of the order. */
  readonly url: string;
  readonly account: string | undefined;
  readonly names: readonly string[];
  /** ARI certificate id (RFC 9773 §5). */
  readonly replaces: string | undefined;
  readonly profile: string | undefined;
  readonly finalizeUrl: string;
  finalized: boolean;
}

interface Identifier {
  readonly type: string;
  readonly value: string;
}

type Json = Readonly<Record<string, unknown>>;

export class OrderBook {
  readonly orders: SeenOrder[] = [];
  readonly #challenges = new Map<string, { name: string; method: string }>();
  readonly #methods = new Map<string, string>();

  /** The CA has made an order. */
  created(url: string, account: string | undefined, payload: Json, order: Json): void {
    const names = (order["identifiers"] as readonly Identifier[]).map(({ value }) => value);
    const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
    this.orders.push({
      url,
      account,
      names,
      replaces: text(payload["replaces"]),
      profile: text(payload["profile"]),
      finalizeUrl: String(order["finalize"]),
      finalized: false,
    });
  }

  /** The CA has shown an authorization. */
  authorization({ identifier, challenges }: Json): void {
    const { value: name } = identifier as Identifier;
    for (const { url, type } of (challenges ?? []) as readonly { url: string; type: string }[]) {
      this.#challenges.set(url, { name, method: type });
    }
  }

  /** A challenge was accepted. */
  accepted(challengeUrl: string): void {
    const challenge = this.#challenges.get(challengeUrl);
    if (challenge) this.#methods.set(challenge.name, challenge.method);
  }

  /** How a name was validated last. */
  methodOf(name: string): string | undefined {
    return this.#methods.get(name);
  }

  byUrl(url: string): SeenOrder | undefined {
    return this.orders.find((order) => order.url === url);
  }

  byFinalize(url: string): SeenOrder | undefined {
    return this.orders.find((order) => order.finalizeUrl === url);
  }

  /** Whether a finished order has replaced this certificate. */
  isReplaced(certificateId: string): boolean {
    return this.orders.some((order) => order.finalized && order.replaces === certificateId);
  }
}

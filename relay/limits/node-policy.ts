/** What a node has asked its relays to do: whom to let through, and how fast all its visitors together may be. */
import type { Clock } from "../../shared/clock.ts";
import type { NodeRules } from "../../shared/registry/messages.ts";
import { NetworkSet } from "./network-set.ts";
import { Throttle } from "./throttle.ts";
import { TokenBucket } from "./token-bucket.ts";

export class NodePolicy {
  readonly #allow: NetworkSet;
  readonly #deny: NetworkSet;
  readonly #clock: Clock;
  readonly #received: TokenBucket | undefined;
  readonly #sent: TokenBucket | undefined;

  /** `workers`: how many share what the node allows. */
  constructor({ allow, deny, bytesPerSecond }: NodeRules, workers: number, clock: Clock) {
    this.#allow = new NetworkSet(allow);
    this.#deny = new NetworkSet(deny);
    this.#clock = clock;
    if (bytesPerSecond === undefined) return;
    const perSecond = bytesPerSecond / workers;
    const options = { perSecond, burst: perSecond };
    this.#received = new TokenBucket(options, clock.now());
    this.#sent = new TokenBucket(options, clock.now());
  }

  admits(address: string): boolean {
    return (this.#allow.isEmpty || this.#allow.has(address)) && !this.#deny.has(address);
  }

  /** A pair for one visitor, from it and to it; undefined when it may be as fast as it can. */
  throttles(): readonly [Throttle, Throttle] | undefined {
    if (!this.#received || !this.#sent) return undefined;
    return [new Throttle(this.#received, this.#clock), new Throttle(this.#sent, this.#clock)];
  }
}

/** Policies by the rules they come from, which routing keeps as one object for each node while they stay the same. */
export class NodePolicies {
  readonly #workers: number;
  readonly #clock: Clock;
  readonly #byRules = new WeakMap<NodeRules, NodePolicy>();

  constructor({ workers = 1, clock }: { workers?: number; clock: Clock }) {
    this.#workers = workers;
    this.#clock = clock;
  }

  of(rules: NodeRules): NodePolicy {
    const policy = this.#byRules.get(rules) ?? new NodePolicy(rules, this.#workers, this.#clock);
    this.#byRules.set(rules, policy);
    return policy;
  }
}

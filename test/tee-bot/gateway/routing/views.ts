import { Attempts } from "../../../../tee-bot/gateway/providers/attempts.ts";
import type { Provider, ProviderModel } from "../../../../tee-bot/gateway/providers/provider.ts";
import type { Standing } from "../../../../tee-bot/gateway/providers/standing.ts";
import type { ProviderView } from "../../../../tee-bot/gateway/routing/offers.ts";
import type { ManualClock } from "../../support/manual-clock.ts";

export interface TestView extends ProviderView {
  readonly attempts: Attempts;
  standing: Standing;
  models: readonly ProviderModel[];
  checks: number;
}

export interface ViewParts extends Partial<
  Pick<Provider, "location" | "trust" | "kind" | "checkAttested" | "attestor">
> {
  models?: readonly (string | ProviderModel)[];
  state?: Standing["state"];
  since?: number;
  outstanding?: number;
  firstByteMs?: number;
}

/** What the router sees of a provider that nobody ever calls. */
export function viewOf(id: string, parts: ViewParts, clock: ManualClock, random: () => number = Math.random): TestView {
  const { models = ["m"], state = "up", since = 0, outstanding = 0, firstByteMs, ...provider } = parts;
  const attempts = new Attempts({ clock, random, isAway: () => false, onBreaker: () => {} });
  for (let call = 0; call < outstanding; call++) attempts.admit();
  if (firstByteMs !== undefined) {
    using permit = attempts.admit();
    permit?.succeeded(firstByteMs);
  }
  const view: TestView = {
    provider: { id, kind: "openai", location: "local", trust: "local", ...provider } as Provider,
    standing: { state, since, reason: state === "up" ? undefined : "why", failures: 0 },
    models: models.map((model) => (typeof model === "string" ? { id: model } : model)),
    attempts,
    checks: 0,
    check: () => view.checks++,
  };
  return view;
}

import type { Attempts } from "../providers/attempts.ts";
import type { Location, Provider, ProviderModel, Trust } from "../providers/provider.ts";
import type { Standing } from "../providers/standing.ts";

/** What routing needs of a provider that is in use. */
export interface ProviderView {
  readonly provider: Provider;
  readonly standing: Pick<Standing, "state" | "since" | "reason">;
  /** As seen last. */
  readonly models: readonly ProviderModel[];
  readonly attempts: Pick<Attempts, "outstanding" | "firstByteMs" | "breaker" | "admit">;
  /** Asks for a look at it soon. */
  check(): void;
}

/** One model at one provider. */
export interface Offer {
  readonly view: ProviderView;
  readonly model: ProviderModel;
  /** By which the provider is asked for it. */
  readonly name: string;
  readonly location: Location;
  readonly trust: Trust;
}

/** Who has which model, by all names; made anew when something was seen, so that a call only looks up. */
export class Offers {
  readonly views: readonly ProviderView[];
  readonly #byName = new Map<string, Offer[]>();

  constructor(views: readonly ProviderView[]) {
    this.views = views;
    for (const view of views) {
      for (const model of view.models) {
        for (const name of [model.id, ...(model.synonyms ?? [])]) this.#add(view, model, name);
      }
    }
  }

  get names(): Iterable<string> {
    return this.#byName.keys();
  }

  /**
   * `id` of whoever has it, or `provider/id`. Many ids have a slash of their own (`Qwen/Qwen3-8B`), so the whole is looked
   * for first.
   */
  find(name: string): readonly Offer[] {
    const found = this.#byName.get(name);
    if (found) return found;
    const slash = name.indexOf("/");
    if (slash < 0) return [];
    const provider = name.slice(0, slash);
    const offers = this.#byName.get(name.slice(slash + 1)) ?? [];
    return offers.filter(({ view }) => view.provider.id === provider);
  }

  #add(view: ProviderView, model: ProviderModel, name: string): void {
    const { location, trust } = view.provider;
    const offers = this.#byName.get(name) ?? [];
    if (offers.some((offer) => offer.view === view)) return; // a synonym of one is the id of another
    offers.push({ view, model, name, location: model.location ?? location, trust: model.trust ?? trust });
    this.#byName.set(name, offers);
  }
}

import type { Clock } from "../../../shared/clock.ts";
import type { GatewaySettings } from "../settings.ts";
import { expandAlias, readAliases, type Aliases } from "./aliases.ts";
import { decideRoute } from "./decide-route.ts";
import { Offers, type ProviderView } from "./offers.ts";
import type { Policy } from "./obstacle.ts";
import type { Route, Router, RouteQuestion } from "./route.ts";

export interface ProviderRouterOptions {
  providers: {
    readonly members: readonly ProviderView[];
    /** Another one whenever members or what they have changed. */
    readonly version: number;
  };
  /** What this node is called: its id, its alias, its hostnames. */
  names: () => readonly string[];
  clock: Clock;
  random: () => number;
}

/** Leads calls to providers, by what was seen of them last. */
export class ProviderRouter implements Router {
  readonly #options: ProviderRouterOptions;
  #settings: Policy & { readonly aliases: Aliases };
  #offers = new Offers([]);
  #version = -1;

  constructor(settings: GatewaySettings, options: ProviderRouterOptions) {
    this.#options = options;
    this.#settings = readSettings(settings);
  }

  follow(settings: GatewaySettings): void {
    this.#settings = readSettings(settings);
  }

  get settings(): Policy & { readonly aliases: Aliases } {
    return this.#settings;
  }

  get offers(): Offers {
    const { version, members } = this.#options.providers;
    if (version !== this.#version) this.#offers = new Offers(members);
    this.#version = version;
    return this.#offers;
  }

  route(question: RouteQuestion): Route {
    const { clock, random } = this.#options;
    const { offers } = this;
    for (const view of offers.views)
      if (view.standing.state !== "up" && this.#isWanted(view, question.model)) view.check();
    const names = question.targetNode === undefined ? [] : this.#options.names().map((name) => name.toLowerCase());
    return decideRoute(question, { ...this.#settings, offers, names, now: clock.now(), random });
  }

  /** Who asks for a model of a provider that is asleep has perhaps just started it. */
  #isWanted(view: ProviderView, model: string): boolean {
    if (model.startsWith(`${view.provider.id}/`)) return true;
    const names = expandAlias(model, this.#settings.aliases);
    return names.some((name) => this.offers.find(name).some((offer) => offer.view === view));
  }
}

function readSettings({ strategy, privacy, aliases }: GatewaySettings) {
  return { strategy, privacy, aliases: readAliases(aliases) };
}

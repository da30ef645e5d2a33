/** Which models there are, who answers for them, and what is told of both: the parts that know providers, joined. */
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { UpstreamVerification } from "../attestation/near/upstream-verification.ts";
import type { Surface } from "./api/call.ts";
import { findEntry, listCatalogue, type CatalogueEntry } from "./catalogue/catalogue.ts";
import { reportGatewayHealth } from "./catalogue/provider-health.ts";
import type { ModelPagesOptions } from "./pages/models.ts";
import { ProviderManager } from "./providers/manager.ts";
import type { OpenEmbedded } from "./providers/open-provider.ts";
import type { ExaminedModel } from "./providers/provider.ts";
import type { Environment } from "./providers/secret.ts";
import { expandAlias } from "./routing/aliases.ts";
import { ProviderRouter } from "./routing/router.ts";
import type { GatewaySettings } from "./settings.ts";

export interface ModelsOptions {
  settings: GatewaySettings;
  clock: Clock;
  random: () => number;
  log: Log;
  env: Environment;
  /** What this node is called: its id, its hostnames. */
  names: () => readonly string[];
  openEmbedded?: OpenEmbedded | undefined;
  /** Undefined: what providers say of their TEEs stays their own word. */
  verification?: UpstreamVerification | undefined;
}

/** A model by any name that a call may use, and the provider that has it. */
export interface ExamineWish {
  readonly model: string;
  readonly provider: string | undefined;
}

export class Models implements AsyncDisposable {
  readonly providers: ProviderManager;
  readonly router: ProviderRouter;

  constructor({ settings, names, ...options }: ModelsOptions) {
    this.providers = new ProviderManager(options);
    this.router = new ProviderRouter(settings, { providers: this.providers, names, ...options });
  }

  /**
   * Uses the providers of these settings from now on. Resolves when each new one was looked at once; until the
   * first call there are none.
   */
  follow(settings: GatewaySettings): Promise<void> {
    this.router.follow(settings);
    return this.providers.follow(settings);
  }

  list(): readonly CatalogueEntry[] {
    const { offers, settings } = this.router;
    return listCatalogue(offers, settings.aliases, settings);
  }

  pages(surface: Surface): ModelPagesOptions {
    const { providers } = this;
    return {
      list: () => this.list(),
      find: (name) => findEntry(name, this.list(), this.router.offers),
      health: () => reportGatewayHealth(providers.members, providers.misfits, surface),
      providerOf: ({ postern }) => providers.members.find(({ provider }) => provider.id === postern.provider)?.provider,
    };
  }

  /**
   * Looks at the evidence of the first model that the name stands for, at `provider` where that is said. Throws
   * {@link AppError} `not-found` where nobody looks at evidence of it, else what `Attestor.examine` throws.
   */
  async examine(wish: ExamineWish, nonce: Uint8Array, signal: AbortSignal): Promise<ExaminedModel> {
    const { offers, settings } = this.router;
    const having = expandAlias(wish.model, settings.aliases).flatMap((name) => offers.find(name));
    const offer = having.find(({ view }) => wish.provider === undefined || view.provider.id === wish.provider);
    const attestor = offer?.view.provider.attestor;
    if (!attestor) throw new AppError("not-found", "There is no such model now, or nobody looks at its evidence.");
    return attestor.examine(offer.model.id, nonce, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.providers[Symbol.asyncDispose]();
  }
}

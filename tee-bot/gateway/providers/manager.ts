/**
 * The providers of this node: those of the settings and those found on this machine. Each is looked at from time to
 * time; what was seen last is what the router and the catalogue know, so that a call asks nobody.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { UpstreamVerification } from "../../attestation/near/upstream-verification.ts";
import type { GatewaySettings } from "../settings.ts";
import { Member } from "./member.ts";
import { openProvider, type OpenEmbedded } from "./open-provider.ts";
import type { ProviderKind } from "./provider.ts";
import { retire } from "./retire.ts";
import { readSecret, type Environment } from "./secret.ts";
import { decideWanted, type WantedProvider } from "./wanted.ts";

export interface ProviderManagerOptions {
  clock: Clock;
  random: () => number;
  log: Log;
  /** Has the keys that `keyEnv` names, and `OLLAMA_HOST`. */
  env: Environment;
  /** Undefined: this node runs no models itself. */
  openEmbedded?: OpenEmbedded | undefined;
  /** Undefined: what providers say of their TEEs stays their own word. */
  verification?: UpstreamVerification | undefined;
}

/** A provider of the settings that cannot be used as it stands there. */
export interface Misfit {
  readonly id: string;
  readonly kind: ProviderKind;
  /** Unix milliseconds. */
  readonly since: number;
  readonly reason: string;
}

/** Another fingerprint is another provider. */
interface Held {
  readonly fingerprint: string;
  readonly member?: Member;
  readonly misfit?: Misfit;
}

export class ProviderManager implements AsyncDisposable {
  /** Stands in every look that is taken at a provider. */
  readonly mark = randomUUID();
  readonly #options: ProviderManagerOptions;
  readonly #ending = new AbortController();
  readonly #retiring = new Set<Promise<void>>();
  #held: ReadonlyMap<string, Held> = new Map();
  #members: readonly Member[] = [];
  #misfits: readonly Misfit[] = [];
  #version = 0;
  #everyMs = 0;

  constructor(options: ProviderManagerOptions) {
    this.#options = options;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  get misfits(): readonly Misfit[] {
    return this.#misfits;
  }

  /** Another one whenever what is known of providers has changed. */
  get version(): number {
    return this.#version;
  }

  /**
   * Takes up what is new in the settings and lets go of what is gone; calls that are under way there go on. Keys are
   * read again. Resolves when what is new has been looked at once.
   */
  async follow(settings: GatewaySettings): Promise<void> {
    const before = this.#held;
    this.#everyMs = settings.discovery.everySeconds * 1_000;
    const wanted = decideWanted(settings, this.#options.env).filter(
      ({ kind }) => kind !== "embedded" || this.#options.openEmbedded,
    );
    this.#hold(new Map(wanted.map((one) => [one.id, this.#holding(one, settings, before.get(one.id))])));
    for (const { member } of before.values()) if (member && !isAmong(this.#held, member)) this.#letGo(member);
    const fresh = this.#members.filter((member) => !isAmong(before, member));
    await Promise.all(fresh.map((member) => member.start()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const members = this.#members;
    this.#hold(new Map());
    this.#ending.abort();
    for (const member of members) member.close();
    await Promise.all([...this.#retiring, ...members.map(({ provider }) => provider[Symbol.asyncDispose]())]);
  }

  /** What is held already, or what the settings make of it now. */
  #holding(wanted: WantedProvider, settings: GatewaySettings, held: Held | undefined): Held {
    const { id, kind } = wanted;
    let fingerprint = JSON.stringify([wanted, settings.timeouts.connectSeconds]);
    try {
      const key = wanted.kind === "embedded" ? undefined : readSecret(wanted, this.#options.env);
      fingerprint += key ?? "";
      return held?.fingerprint === fingerprint
        ? held
        : { fingerprint, member: this.#open(wanted, key, settings.timeouts.connectSeconds * 1_000) };
    } catch (error) {
      const { clock, log } = this.#options;
      const reason = errorText(error);
      if (held?.misfit?.reason === reason) return held;
      log.warn("provider.failed", { provider: id, state: "broken", reason });
      return { fingerprint, misfit: { id, kind, since: clock.now(), reason } };
    }
  }

  #open(wanted: WantedProvider, key: string | undefined, connectTimeoutMs: number): Member {
    const { clock, random, log, openEmbedded, verification } = this.#options;
    const onRefused = (): void => member.refused();
    const provider = openProvider(wanted, {
      key,
      connectTimeoutMs,
      onRefused,
      openEmbedded,
      verification,
      clock,
      random,
      log,
      mark: this.mark,
    });
    const member = new Member(provider, {
      everyMs: () => this.#everyMs,
      clock,
      random,
      log,
      discovered: "discovered" in wanted,
      onChange: () => this.#version++,
    });
    return member;
  }

  #hold(held: ReadonlyMap<string, Held>): void {
    this.#held = held;
    this.#members = [...held.values()].map(({ member }) => member).filter((member) => member !== undefined);
    this.#misfits = [...held.values()].map(({ misfit }) => misfit).filter((misfit) => misfit !== undefined);
    this.#version++;
  }

  #letGo(member: Member): void {
    this.#options.log.info("provider.dropped", { provider: member.provider.id });
    const retiring = retire(member, this.#options.clock, this.#ending.signal);
    this.#retiring.add(retiring);
    void retiring.finally(() => this.#retiring.delete(retiring));
  }
}

function isAmong(held: ReadonlyMap<string, Held>, member: Member): boolean {
  return held.get(member.provider.id)?.member === member;
}

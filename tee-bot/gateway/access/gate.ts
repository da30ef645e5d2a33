/**
 * Lets calls in: who shows a key that is good, within its limits, when it is his turn. What it refuses it says why, and
 * when to come back. Relied on by every call of the API, whatever its endpoint.
 */
import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { ApiError } from "../api/api-error.ts";
import type { Call, Surface } from "../api/call.ts";
import type { GatewaySettings } from "../settings.ts";
import type { Tokens } from "../tracking/track.ts";
import type { Access, Admission, Caller, Leaving } from "./access.ts";
import { decideKeyState, type ApiKey } from "./api-key.ts";
import { EndRate } from "./end-rate.ts";
import { KeyLimits } from "./key-limits.ts";
import type { HeldKey, KeyRing } from "./key-ring.ts";
import { isMeantAsKey, isWholeKey } from "./key-text.ts";
import { isModelAllowed } from "./model-globs.ts";
import type { MonthlyUsage } from "./monthly-usage.ts";
import { refusalOf, refusalOfModel, tooManyWrongKeys, type KeyRefusal } from "./refusals.ts";
import { maxKeyLength, readShownKey } from "./shown-key.ts";
import { Turns, type TurnLimits } from "./turns.ts";
import { WrongKeys } from "./wrong-keys.ts";

export type AccessSettings = Pick<GatewaySettings, "keys" | "limits">;

export interface GateOptions {
  settings: AccessSettings;
  keys: KeyRing;
  usage: MonthlyUsage;
  /** What this node's own parts show: made anew at each start, known to nobody else, and good at this machine's port only. */
  ownKey?: string | undefined;
  clock: Clock;
  log: Log;
}

const anybody: Caller = { keyId: undefined, models: undefined };
const noHeaders: readonly string[] = [];
/** What a client is told when nothing is known of how long calls take, and at most. */
const usualRetryMs = 5_000;
const maxRetryMs = 60_000;

export class Gate implements Access {
  readonly #keys: KeyRing;
  readonly #usage: MonthlyUsage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits = new Map<string, KeyLimits>();
  readonly #wrong = new WrongKeys();
  readonly #ends = new EndRate();
  readonly #turns: Turns;
  readonly #refused = new Map<KeyRefusal, number>();
  readonly #ownKey: string | undefined;
  #settings: AccessSettings;

  constructor({ settings, keys, usage, ownKey, clock, log }: GateOptions) {
    this.#settings = settings;
    this.#ownKey = ownKey;
    this.#keys = keys;
    this.#usage = usage;
    this.#clock = clock;
    this.#log = log;
    this.#turns = new Turns({ limits: turnLimitsOf(settings), clock, overloaded: (why) => this.#overloaded(why) });
    keys.onRevoked = (key) => {
      this.#limits.delete(key.id);
      this.#turns.refuse(key.id, refusalOf("revoked"));
    };
  }

  /** Calls under way, and those that wait. */
  get load(): { running: number; waiting: number } {
    return { running: this.#turns.running, waiting: this.#turns.waiting };
  }

  /** How often somebody was not let in at all, by the reason; such a call is in no log. */
  get refused(): ReadonlyMap<KeyRefusal, number> {
    return this.#refused;
  }

  follow(settings: AccessSettings): void {
    this.#settings = settings;
    this.#turns.follow(turnLimitsOf(settings));
  }

  authenticate(headers: IncomingHttpHeaders, surface: Surface, client: string): Caller {
    const required = this.#settings.keys[surface === "public" ? "public" : "loopback"] === "required";
    const shown = readShownKey(headers);
    if (surface === "local" && shown !== undefined && this.#isOwn(shown)) return anybody;
    // Clients must send some key, so that they are given any text where none is asked for; only ours is taken at its word.
    if (shown === undefined || (!required && !isMeantAsKey(shown))) {
      if (required) throw this.#refuse("none");
      return anybody;
    }
    const held = shown.length > maxKeyLength ? undefined : this.#keys.find(shown);
    if (!held) throw this.#refuseWrong(shown, surface, client);
    const now = this.#clock.now();
    const state = decideKeyState(held.key, now);
    if (state !== "active") throw this.#refuse(state);
    this.#keys.used(held, now);
    return held;
  }

  admit(caller: Caller, call: Call, client: Leaving): Admission | Promise<Admission> {
    if (!isModelAllowed(caller.models, call.model)) throw refusalOfModel();
    const held = caller.keyId === undefined ? undefined : this.#keys.get(caller.keyId);
    if (caller.keyId !== undefined) this.#checkStillGood(held);
    const limits = held && this.#limitsOf(held.key);
    const reservation = { limits, estimate: call.estimatedPromptTokens };
    limits?.take(reservation.estimate, this.#clock.now());

    const turn = this.#turns.take(caller.keyId ?? call.client, client);
    return turn ? this.#wait(turn, reservation) : this.#begin(reservation, 0);
  }

  #isOwn(shown: string): boolean {
    const [given, own] = [Buffer.from(shown), Buffer.from(this.#ownKey ?? "")];
    return own.length > 0 && given.length === own.length && timingSafeEqual(given, own);
  }

  /** The turn of a call is over. */
  ended({ limits, estimate }: Reservation, tokens: Tokens | undefined): void {
    const now = this.#clock.now();
    limits?.settle(estimate, tokens, now);
    this.#ends.ended(now);
    this.#turns.end();
  }

  async #wait(turn: Promise<void>, reservation: Reservation): Promise<Admission> {
    const since = performance.now();
    try {
      await turn;
    } catch (error) {
      reservation.limits?.giveBack(reservation.estimate, this.#clock.now());
      throw error;
    }
    return this.#begin(reservation, performance.now() - since);
  }

  #begin(reservation: Reservation, queuedMs: number): Admission {
    const headers = reservation.limits?.headers(this.#clock.now()) ?? noHeaders;
    return new Turn(this, queuedMs, headers, reservation);
  }

  #refuseWrong(shown: string, surface: Surface, client: string): ApiError {
    const retryAfterMs = this.#wrong.count(client, this.#clock.now());
    if (retryAfterMs !== undefined) {
      this.#count("too-many");
      return tooManyWrongKeys(retryAfterMs);
    }
    const why = isMeantAsKey(shown) && !isWholeKey(shown) ? "cut" : "unknown";
    this.#log.info("key.refused", { surface, client, why });
    return this.#refuse(why);
  }

  #refuse(why: Exclude<KeyRefusal, "too-many">): ApiError {
    this.#count(why);
    return refusalOf(why);
  }

  #count(why: KeyRefusal): void {
    this.#refused.set(why, (this.#refused.get(why) ?? 0) + 1);
  }

  /** A key can be revoked or expire while its call is read, or waits. */
  #checkStillGood(held: HeldKey | undefined): void {
    const state = held ? decideKeyState(held.key, this.#clock.now()) : "revoked";
    if (state !== "active") throw refusalOf(state);
  }

  #limitsOf(key: ApiKey): KeyLimits {
    let limits = this.#limits.get(key.id);
    if (!limits) {
      limits = new KeyLimits(key, this.#usage, this.#clock.now());
      this.#limits.set(key.id, limits);
    }
    return limits;
  }

  #overloaded(why: "full" | "late"): ApiError {
    const { running, waiting } = this.load;
    const retryAfterMs = decideRetryMs(this.#ends.msUntil(waiting + 1, this.#clock.now()));
    const reason = why === "full" ? "no more may wait" : "this one has waited as long as it may";
    return new ApiError(
      "overloaded",
      `The gateway is busy: ${running} calls are under way, ${waiting} wait, and ${reason}. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`,
      { retryAfterMs },
    );
  }
}

/** What an admitted call has taken of its key's limits. */
interface Reservation {
  readonly limits: KeyLimits | undefined;
  readonly estimate: number;
}

class Turn implements Admission {
  readonly queuedMs: number;
  readonly headers: readonly string[];
  readonly #gate: Gate;
  readonly #reservation: Reservation;
  #released = false;

  constructor(gate: Gate, queuedMs: number, headers: readonly string[], reservation: Reservation) {
    this.#gate = gate;
    this.queuedMs = queuedMs;
    this.headers = headers;
    this.#reservation = reservation;
  }

  release(tokens: Tokens | undefined): void {
    if (this.#released) throw new Error("The turn of this call is over already.");
    this.#released = true;
    this.#gate.ended(this.#reservation, tokens);
  }
}

function decideRetryMs(estimatedMs: number | undefined): number {
  return Math.min(maxRetryMs, Math.max(1_000, estimatedMs ?? usualRetryMs));
}

function turnLimitsOf({ limits }: AccessSettings): TurnLimits {
  return { concurrent: limits.concurrent, queued: limits.queued, queueMs: limits.queueSeconds * 1_000 };
}

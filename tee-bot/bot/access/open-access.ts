/** `Access` by the settings: gating in groups first, then who may, then how much. */
import { openSealedRecords, type SealedPlace } from "../../store/open-sealed-records.ts";
import type { SealedRecords } from "../../store/sealed-records.ts";
import { chatName, type MessageEvent } from "../events/event.ts";
import type { People, Remembered } from "../people/people.ts";
import type { SignalSettings } from "../settings.ts";
import type { Access, Admission } from "./access.ts";
import { isAddressed } from "./addressed.ts";
import { parsePairingCode, type PairingCodes } from "./pairing-codes.ts";
import { decideAllowed, isSamePerson, takesPairing } from "./policy.ts";
import * as sentences from "./sentences.ts";
import {
  countAttempt,
  countMessage,
  countRefusal,
  noteMessage,
  tallyForm,
  tallySchemaName,
  type Tally,
  type Verdict,
} from "./tally.ts";

export interface OpenAccessOptions extends SealedPlace {
  settings: Pick<SignalSettings, "people" | "groups" | "operators" | "limits">;
  people: People;
  codes: PairingCodes;
}

/** Of one day, so nothing waits for the disk, and what a loss of power or a restored file takes back hurts nobody. */
const tallies = {
  names: {
    schema: tallySchemaName,
    valuesFile: "tallies.sqlite",
    epochsFile: undefined,
    redisPrefix: "postern:tally:",
  },
  form: tallyForm,
  isSynced: false,
};

/** Throws {@link AppError} when a file cannot be opened or the address of Redis is none. */
export function openAccess(options: OpenAccessOptions): Access & Disposable {
  const onRefused = (reason: string): void => options.log.warn("tally.refused", { reason });
  return new SettledAccess(options, openSealedRecords({ ...options, ...tallies, onRefused }));
}

class SettledAccess implements Access, Disposable {
  readonly #options: OpenAccessOptions;
  readonly #tallies: SealedRecords<Tally>;

  constructor(options: OpenAccessOptions, records: SealedRecords<Tally>) {
    this.#options = options;
    this.#tallies = records;
  }

  async admit(event: MessageEvent, isCommand: boolean): Promise<Admission> {
    const { settings, people } = this.#options;
    if (!isAddressed(event, isCommand, settings.groups.answer)) return silence;
    const remembered = await people.read(placeOf(event));
    if (decideAllowed(event.chat, remembered, settings)) return this.#let(event, isCommand, remembered);
    const code = takesPairing(event.chat, settings) ? parsePairingCode(event.text.reveal()) : undefined;
    return code === undefined ? this.#refuse(event) : this.#pair(event, code);
  }

  [Symbol.dispose](): void {
    this.#tallies[Symbol.dispose]();
  }

  async #let(event: MessageEvent, isCommand: boolean, { isGreeted }: Remembered): Promise<Admission> {
    const { people, settings, clock } = this.#options;
    const { timestamp, person } = event;
    const now = clock.now();
    const isLimited = !settings.operators.some((one) => isSamePerson(one, person));
    const found = await this.#decide<"paired" | (Verdict & { isFirst: boolean })>(person, (tally) => {
      if (tally.pairedBy === timestamp) return { tally, outcome: "paired" };
      const counted = isLimited
        ? countMessage(tally, { timestamp, isCommand }, settings.limits, now)
        : { tally, verdict: within };
      const isFirst = counted.verdict.kind === "within" && (!isGreeted || tally.greetedBy === timestamp);
      const next = isFirst ? noteMessage(counted.tally, "greetedBy", timestamp, now) : counted.tally;
      return { tally: next, outcome: { ...counted.verdict, isFirst } };
    });
    if (found === "paired") return paired(event);
    if (found.kind === "over")
      return found.isToBeTold ? refused(sentences.overLimit(found, settings.limits, now)) : silence;
    if (!isGreeted) await people.change(placeOf(event), { isGreeted: true });
    return { admitted: true, isFirst: found.isFirst };
  }

  /** In a group others would read it. */
  async #refuse({ chat, person, timestamp }: MessageEvent): Promise<Admission> {
    const { settings, clock } = this.#options;
    if (chat.kind === "group") return silence;
    const isToBeTold = await this.#decide(person, (tally) => {
      const counted = countRefusal(tally, timestamp, clock.now());
      return { tally: counted.tally, outcome: counted.isToBeTold };
    });
    if (!isToBeTold) return silence;
    return refused(takesPairing(chat, settings) ? sentences.codeWanted : sentences.notAllowed(person));
  }

  async #pair(event: MessageEvent, code: string): Promise<Admission> {
    const { people, codes, clock } = this.#options;
    const { chat, person, timestamp } = event;
    const left = await this.#decide(person, (tally) => {
      const counted = countAttempt(tally, timestamp, clock.now());
      return { tally: counted.tally, outcome: counted.left };
    });
    if (left === undefined) return silence;
    const used = codes.redeem(code);
    if (!used) return chat.kind === "group" ? silence : refused(sentences.wrongCode(left));
    try {
      await this.#decide(person, (tally) => ({
        tally: noteMessage(tally, "pairedBy", timestamp, clock.now()),
        outcome: undefined,
      }));
      await people.change(placeOf(event), { isPaired: true });
    } catch (error) {
      used.giveBack();
      throw error;
    }
    return paired(event);
  }

  async #decide<T>(person: string, rule: (tally: Tally) => { tally: Tally; outcome: T }): Promise<T> {
    let outcome!: T;
    await this.#tallies.change(person, (before) => {
      const decided = rule(before);
      outcome = decided.outcome;
      return decided.tally;
    });
    return outcome;
  }
}

const within: Verdict = { kind: "within" };
const silence: Admission = { admitted: false, say: undefined };

function refused(say: string): Admission {
  return { admitted: false, say };
}

function paired({ chat }: MessageEvent): Admission {
  return refused(chat.kind === "group" ? sentences.pairedGroup : sentences.pairedPerson);
}

/** Whom a policy and a greeting are about: the person, or the whole group. */
function placeOf({ chat, person }: MessageEvent): string {
  return chat.kind === "group" ? chatName(chat) : person;
}

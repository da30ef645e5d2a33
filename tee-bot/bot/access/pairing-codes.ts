/**
 * Codes by which a person or a group is let in: given out by the operator, good for an hour and once. Only hashes are kept,
 * in memory: after a restart a new one is needed.
 */
import { createHash, randomInt, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";

export const pairingCodeLifeMs = 60 * 60 * 1000;
/** Without those that look like others: I and J, L, O and Q, U and V. With 8 of them there are 5·10^10 codes. */
const letters = "ABCDEFGHKMNPRSTWXYZ";
const codeLength = 8;
/** More need not be given out at once. */
const maxOpenCodes = 100;

export interface PairingCode {
  readonly code: string;
  readonly expiresAt: number;
}

interface OpenCode {
  readonly hash: Buffer;
  readonly expiresAt: number;
}

export class PairingCodes {
  readonly #clock: Clock;
  readonly #isWanted: boolean;
  #open: OpenCode[] = [];

  /** `isWanted`: some policy asks for codes. */
  constructor({ clock, isWanted }: { clock: Clock; isWanted: boolean }) {
    this.#clock = clock;
    this.#isWanted = isWanted;
  }

  /** Throws {@link AppError} where nobody is asked for a code, and when too many wait to be used. */
  make(): PairingCode {
    if (!this.#isWanted)
      throw new AppError(
        "bad-request",
        "Nobody is asked for a code: set signal.people.policy or signal.groups.policy to pairing, and start the node again.",
      );
    this.#dropOld();
    if (this.#open.length >= maxOpenCodes)
      throw new AppError(
        "too-many-requests",
        `${maxOpenCodes} pairing codes wait to be used. Use one, or wait an hour.`,
      );
    const code = Array.from({ length: codeLength }, () => letters[randomInt(letters.length)]).join("");
    const expiresAt = this.#clock.now() + pairingCodeLifeMs;
    this.#open.push({ hash: hashOf(code), expiresAt });
    return { code: `${code.slice(0, codeLength / 2)}-${code.slice(codeLength / 2)}`, expiresAt };
  }

  /** Whether this is such a code; it is used up then. Undo it with what is given, where the pairing could not be stored. */
  redeem(code: string): { giveBack(): void } | undefined {
    this.#dropOld();
    const hash = hashOf(code);
    let found: OpenCode | undefined;
    for (const one of this.#open) if (timingSafeEqual(one.hash, hash)) found = one; // all are compared
    if (!found) return undefined;
    const used = found;
    this.#open = this.#open.filter((one) => one !== used);
    return { giveBack: () => void this.#open.push(used) };
  }

  #dropOld(): void {
    const now = this.#clock.now();
    this.#open = this.#open.filter(({ expiresAt }) => expiresAt > now);
  }
}

/** The code that a message consists of, in the form in which codes are compared; undefined where it is none. */
export function parsePairingCode(text: string): string | undefined {
  const code = text.replaceAll(/[\s-]/g, "").toUpperCase();
  return code.length === codeLength && /^[A-Z]+$/.test(code) ? code : undefined;
}

function hashOf(code: string): Buffer {
  return createHash("sha256").update(code).digest();
}

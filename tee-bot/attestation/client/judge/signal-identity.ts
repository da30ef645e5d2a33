/** Whether the Signal key of the node's bot is the one that a person sees on a phone. */
import { failed, pass, skip, type Check } from "../../../../shared/attestation/check.ts";
import type { Keyset } from "../../../../shared/attestation/keyset.ts";
import { AppError } from "../../../../shared/errors.ts";
import { digitsOf, halfDigits, hasHalf } from "../safety-number.ts";
import { brief } from "./binding.ts";

/** `key`: public, with its type byte, hex. `half`: the bot's own 30 digits. `number`: the 60 that a phone shows. */
export interface ExpectedSignal {
  readonly kind: "key" | "half" | "number";
  readonly value: string;
}

/** As a person types it, with or without spaces. Throws {@link AppError} for what is none of the three. */
export function parseExpectedSignal(text: string): ExpectedSignal {
  const plain = text.replaceAll(/[\s:-]/g, "").toLowerCase();
  if (/^05[0-9a-f]{64}$/.test(plain)) return { kind: "key", value: plain };
  const digits = digitsOf(plain);
  if (digits === plain && digits.length === halfDigits) return { kind: "half", value: digits };
  if (digits === plain && digits.length === 2 * halfDigits) return { kind: "number", value: digits };
  throw new AppError(
    "bad-request",
    "This is no Signal identity. Give the 60 digits of the safety number that your phone shows, the bot's 30 of them, or " +
      "its key as 66 hex characters.",
  );
}

/** The check `signal-identity`; none where nobody compares. `keyset`: undefined where the quote binds none. */
export function judgeSignalIdentity(keyset: Keyset | undefined, expected: ExpectedSignal | undefined): Check[] {
  const id = "signal-identity";
  if (!expected) return [];
  if (!keyset) return [skip(id, "The quote binds no keyset, so it is not known which Signal key is its bot's.")];
  const { signal_identity: key, signal_safety_number: half } = keyset;
  if (key === undefined || half === undefined)
    return [skip(id, "The quote names no Signal key: the node has no bot, or does not know its key yet.")];
  const matches = {
    key: expected.value === key,
    half: expected.value === half,
    number: hasHalf(expected.value, half),
  }[expected.kind];
  return matches
    ? [pass(id, `The quote names the Signal key ${brief(key)}, which is that of ${whose[expected.kind]}.`)]
    : [failed(id, `The quote names the Signal key ${brief(key)}, which is not that of ${whose[expected.kind]}.`)];
}

const whose = {
  key: "the key that you gave",
  half: "the digits that you gave",
  number: "one half of the safety number that you gave",
} as const;

import { createHash } from "node:crypto";

/** Somebody who is registered with Signal. */
export interface Account {
  readonly name: string;
  readonly number: string;
  readonly uuid: string;
}

/** A number of the kind that is kept for fiction. */
export const defaultAccountNumber = "+15550000001";
const defaultAccountUuid = "bbbbbbbb-0000-4000-8000-000000000001";
/** The name of the bot in conversations; nobody else may have it. */
export const botName = "bot";

export function botAccount(number: string): Account {
  const uuid = number === defaultAccountNumber ? defaultAccountUuid : uuidOf(`account ${number}`);
  return { name: botName, number, uuid };
}

/** The same name is the same person in every run. No country has the code 999. */
export function accountOfName(name: string): Account {
  const digits = BigInt(`0x${hashOf(`number of ${name}`)}`) % 10n ** 11n;
  return { name, number: `+999${digits.toString().padStart(11, "0")}`, uuid: uuidOf(`person ${name}`) };
}

function uuidOf(seed: string): string {
  const hex = hashOf(seed);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

function hashOf(text: string): string {
  return createHash("sha256").update(`postern signal simulator: ${text}`).digest("hex");
}

/** The account: how a number becomes the bot's (by a code in an SMS, or linked to a telephone that has it), and what it shows. */
import { randomBytes, randomInt } from "node:crypto";
import type { StateFile, Table } from "../state-file.ts";
import { RestError } from "./rest-error.ts";

interface AccountRecord {
  readonly registered: boolean;
  readonly profile?: Profile;
  readonly username?: string;
  readonly settings?: AccountSettings;
}

/** What people see of the bot. */
export interface Profile {
  readonly name: string;
  readonly about?: string | undefined;
}

export interface AccountSettings {
  readonly discoverable_by_number?: boolean | undefined;
  readonly share_number?: boolean | undefined;
}

const name = "account";
const captchaScheme = "signalcaptcha://";

export class Registration {
  readonly #number: string;
  readonly #table: Table<AccountRecord>;
  #code: string | undefined;
  #linkUri: string | undefined;

  constructor(state: StateFile, number: string, registered: boolean) {
    this.#number = number;
    this.#table = state.table("registration");
    if (!this.#table.values.has(name)) this.#table.put(name, { registered });
  }

  get isRegistered(): boolean {
    return this.record.registered;
  }

  get record(): AccountRecord {
    return this.#table.values.get(name) ?? { registered: false };
  }

  change(changes: Partial<AccountRecord>): void {
    this.#table.put(name, { ...this.record, ...changes });
  }

  /** What the SMS or the call says. */
  get code(): string | undefined {
    return this.#code;
  }

  /** What is in the newest QR code. */
  get linkUri(): string | undefined {
    return this.#linkUri;
  }

  register(number: string, captcha: string): void {
    if (number !== this.#number) throw new RestError("Invalid phone number");
    if (!captcha.startsWith(captchaScheme)) throw new RestError("Captcha required for verification");
    this.#code = String(randomInt(1_000_000)).padStart(6, "0");
  }

  verify(number: string, code: string): void {
    if (number !== this.#number || this.#code === undefined || code.replace("-", "") !== this.#code)
      throw new RestError("Verify error: StatusCode: 403");
    this.#code = undefined;
    this.change({ registered: true });
  }

  startLink(): string {
    const query = new URLSearchParams({
      uuid: randomBytes(16).toString("base64url"),
      pub_key: Buffer.concat([Buffer.from([5]), randomBytes(32)]).toString("base64"),
    });
    this.#linkUri = `sgnl://linkdevice?${query.toString()}`;
    return this.#linkUri;
  }

  /** The telephone has read the code; whether it was the newest. */
  finishLink(uri: string): boolean {
    if (uri !== this.#linkUri) return false;
    this.#linkUri = undefined;
    this.change({ registered: true });
    return true;
  }
}

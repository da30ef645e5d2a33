/** The calls of signal-cli-rest-api that concern the bot's account: linking, registering, profile, keys, limits. */
import { z } from "zod";
import { AppError } from "../../../shared/errors.ts";
import type { Sensitive } from "../../../shared/sensitive.ts";
import { readAnswer, requireSuccess } from "./answers.ts";
import type { RestAnswer, RestCall, RestClient } from "./rest-client.ts";

/** Each of them asks Signal. */
const callMs = 30_000;

const identitySchema = z.object({
  number: z.string().nullish(),
  uuid: z.string().nullish(),
  fingerprint: z.string().default(""),
  safety_number: z.string().default(""),
  /** `TRUSTED_UNVERIFIED`, `TRUSTED_VERIFIED`, `UNTRUSTED`. */
  status: z.string(),
});

/** As the server says it. */
export type Identity = z.infer<typeof identitySchema>;

const groupSchema = z.object({
  /** As calls take it: `group.` and base64. */
  id: z.string(),
  /** As envelopes have it. */
  internal_id: z.string(),
  name: z.string().nullish(),
});

export type Group = z.infer<typeof groupSchema>;

export class AccountApi {
  readonly #client: RestClient;

  constructor({ client }: { client: RestClient }) {
    this.#client = client;
  }

  /** What a telephone reads as a QR code, to have the server as a linked device; a secret until it has. */
  async deviceLink(deviceName: string): Promise<string> {
    const query = new URLSearchParams({ device_name: deviceName });
    const answer = await this.#call({ method: "GET", path: `/v1/qrcodelink/raw?${query.toString()}` });
    return readAnswer(answer, z.object({ device_link_uri: z.string() })).device_link_uri;
  }

  /** Signal sends a code to the number. `captcha`: from its page for registrations. */
  async register(account: string, { captcha, useVoice }: { captcha?: string; useVoice?: boolean } = {}): Promise<void> {
    const path = `/v1/register/${encodeURIComponent(account)}`;
    await this.#do({ method: "POST", path, body: { captcha, use_voice: useVoice ?? false } });
  }

  /** With the code that came, and the PIN if the number has one. */
  async verify(account: string, code: string, { pin }: { pin?: string } = {}): Promise<void> {
    const path = `/v1/register/${encodeURIComponent(account)}/verify/${encodeURIComponent(code)}`;
    await this.#do({ method: "POST", path, body: pin === undefined ? {} : { pin } });
  }

  /** A profile is needed before a group can be written to. */
  async setProfile(account: string, { name, about }: { name: string; about?: string }): Promise<void> {
    await this.#do({ method: "PUT", path: `/v1/profiles/${encodeURIComponent(account)}`, body: { name, about } });
  }

  /** People reach the account by it without its number: the address of a page that opens the chat. */
  async setUsername(account: string, username: string): Promise<string> {
    const path = `/v1/accounts/${encodeURIComponent(account)}/username`;
    const answer = await this.#call({ method: "POST", path, body: { username } });
    return readAnswer(answer, z.object({ username_link: z.string() })).username_link;
  }

  async hideNumber(account: string): Promise<void> {
    const path = `/v1/accounts/${encodeURIComponent(account)}/settings`;
    await this.#do({ method: "PUT", path, body: { discoverable_by_number: false, share_number: false } });
  }

  /** Lifts a rate limit, with a captcha of Signal's page for challenges. */
  async answerChallenge(
    account: string,
    { token, captcha }: { token: Sensitive<string>; captcha: string },
  ): Promise<void> {
    const path = `/v1/accounts/${encodeURIComponent(account)}/rate-limit-challenge`;
    await this.#do({ method: "POST", path, body: { challenge_token: token.reveal(), captcha } });
  }

  async identities(account: string, signal?: AbortSignal): Promise<Identity[]> {
    const path = `/v1/identities/${encodeURIComponent(account)}`;
    return readAnswer(await this.#call({ method: "GET", path, signal }), z.array(identitySchema));
  }

  /** `safetyNumber`: as it was compared; undefined: whatever keys are known. */
  async trust(account: string, person: string, safetyNumber?: string): Promise<void> {
    const path = `/v1/identities/${encodeURIComponent(account)}/trust/${encodeURIComponent(person)}`;
    const body = safetyNumber === undefined ? { trust_all_known_keys: true } : { verified_safety_number: safetyNumber };
    await this.#do({ method: "PUT", path, body });
  }

  /** `on-first-use`, `always`, `never`. In json-rpc mode it can only be set by the server's environment. */
  async trustMode(account: string): Promise<string> {
    const path = `/v1/configuration/${encodeURIComponent(account)}/settings`;
    return readAnswer(await this.#call({ method: "GET", path }), z.object({ trust_mode: z.string() })).trust_mode;
  }

  async groups(account: string): Promise<Group[]> {
    const path = `/v1/groups/${encodeURIComponent(account)}`;
    return readAnswer(await this.#call({ method: "GET", path }), z.array(groupSchema));
  }

  async #do(call: Omit<RestCall, "timeoutMs" | "lane">): Promise<void> {
    requireSuccess(await this.#call(call));
  }

  #call(call: Omit<RestCall, "timeoutMs" | "lane">): Promise<RestAnswer> {
    return this.#client.call({ ...call, timeoutMs: callMs, lane: "call" });
  }
}

/** The account that is set, or the only one there is. Throws {@link AppError} that says what to do. */
export function decideAccount(accounts: readonly string[], wanted: string | undefined): string {
  const [only] = accounts;
  if (wanted === undefined && accounts.length > 1)
    throw new AppError(
      "bad-request",
      "The Signal REST server has several accounts. Set signal.account to one of them.",
    );
  const found = wanted === undefined ? only : accounts.find((one) => one === wanted);
  if (found !== undefined) return found;
  const which = wanted === undefined ? "no account" : "no such account as signal.account says";
  throw new AppError("not-found", `The Signal REST server has ${which}. Link or register it: postern signal link.`);
}

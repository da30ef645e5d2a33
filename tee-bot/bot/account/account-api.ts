/**
 * What a person does with the bot's account at a signal-cli-rest-api: link it, register it, name it, see how it is. Made by
 * hand at a terminal, one call after the other; messages go another way.
 */
import { z } from "zod";
import { Lane } from "../send/lane.ts";
import { RestClient, type RestAnswer } from "../send/rest-client.ts";
import { SignalFailure } from "../send/signal-failure.ts";
import { AccountError } from "./account-error.ts";

export interface RestServer {
  /** `json-rpc`, `normal`, `native`. */
  readonly mode: string;
  readonly version: string;
}

export interface AccountApi {
  about(): Promise<RestServer>;
  /** Numbers. It goes through signal-cli, so an answer says that signal-cli is well. */
  accounts(): Promise<string[]>;
  /** What a telephone scans; the REST server then waits for it on its own. */
  linkUri(deviceName: string): Promise<string>;
  register(number: string, how: { captcha?: string | undefined; byVoice: boolean }): Promise<void>;
  /** With the code that Signal has sent. */
  verify(number: string, code: string, pin?: string): Promise<void>;
  setProfile(number: string, profile: { name: string; about: string }): Promise<void>;
  /** `postern.01` for an asked `postern`. */
  setUsername(number: string, username: string): Promise<string>;
  /** Nobody finds the account by its number, or is shown it. */
  hideNumber(number: string): Promise<void>;
  trustMode(number: string): Promise<string>;
  answerChallenge(number: string, token: string, captcha: string): Promise<void>;
  /** Keys of everybody that signal-cli knows. */
  identities(number: string): Promise<Identity[]>;
  /** `person`: uuid or number. `safetyNumber`: as it was compared with them; undefined: whatever keys are known. */
  trust(number: string, person: string, safetyNumber?: string): Promise<void>;
}

export type Identity = z.infer<typeof identitySchema>;

/** signal-cli asks Signal's servers for some of them. */
const timeoutMs = 60_000;
const maxAnswerBytes = 1024 * 1024;
const maxShownChars = 300;

const aboutSchema = z.object({ mode: z.string(), version: z.string().default("unknown") });
const linkSchema = z.object({ device_link_uri: z.string().regex(/^sgnl:\/\/linkdevice\?/) });
const trustSchema = z.object({ trust_mode: z.string() });
const identitySchema = z.object({
  number: z.string().nullish(),
  uuid: z.string().nullish(),
  safety_number: z.string(),
  /** `TRUSTED_UNVERIFIED`, `TRUSTED_VERIFIED`, `UNTRUSTED`. */
  status: z.string(),
});
const usernameSchema = z.object({ username: z.string() });
const errorSchema = z.object({ error: z.string() });

/** `api`: its address. Paths and forms as in its swagger (0.100). `signal` ends what is under way. */
export function openAccountApi(api: string, signal: AbortSignal): AccountApi {
  const client = new RestClient({ api, lane: new Lane() });
  const of = encodeURIComponent;

  async function call(method: "GET" | "POST" | "PUT", path: string, body?: object): Promise<unknown> {
    let answer: RestAnswer;
    try {
      answer = await client.call({ method, path, body, timeoutMs, maxBytes: maxAnswerBytes, lane: "call", signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SignalFailure)) throw error;
      throw new AccountError(error.detail, undefined, { cause: error });
    }
    const content = parse(answer.bytes);
    if (answer.status >= 200 && answer.status < 300) return content;
    const said = errorSchema.safeParse(content);
    const why = said.success ? said.data.error.slice(0, maxShownChars) : "it does not say why";
    throw new AccountError(`The REST server refused (${answer.status}): ${why}`, answer.status);
  }

  async function ask<T>(form: z.ZodType<T>, method: "GET" | "POST", path: string, body?: object): Promise<T> {
    const read = form.safeParse(await call(method, path, body));
    if (read.success) return read.data;
    throw new AccountError("What answers there is no signal-cli-rest-api, or one of an unknown version.");
  }

  return {
    about: () => ask(aboutSchema, "GET", "/v1/about"),
    accounts: () => ask(z.array(z.string()), "GET", "/v1/accounts"),
    linkUri: async (name) =>
      (await ask(linkSchema, "GET", `/v1/qrcodelink/raw?device_name=${of(name)}`)).device_link_uri,
    register: async (number, { captcha, byVoice }) => {
      await call("POST", `/v1/register/${of(number)}`, { ...(captcha && { captcha }), use_voice: byVoice });
    },
    verify: async (number, code, pin) => {
      await call("POST", `/v1/register/${of(number)}/verify/${of(code)}`, pin === undefined ? {} : { pin });
    },
    setProfile: async (number, profile) => {
      await call("PUT", `/v1/profiles/${of(number)}`, profile);
    },
    setUsername: async (number, username) =>
      (await ask(usernameSchema, "POST", `/v1/accounts/${of(number)}/username`, { username })).username,
    hideNumber: async (number) => {
      await call("PUT", `/v1/accounts/${of(number)}/settings`, { discoverable_by_number: false, share_number: false });
    },
    trustMode: async (number) => (await ask(trustSchema, "GET", `/v1/configuration/${of(number)}/settings`)).trust_mode,
    answerChallenge: async (number, token, captcha) => {
      await call("POST", `/v1/accounts/${of(number)}/rate-limit-challenge`, { challenge_token: token, captcha });
    },
    identities: (number) => ask(z.array(identitySchema), "GET", `/v1/identities/${of(number)}`),
    trust: async (number, person, safetyNumber) => {
      const how =
        safetyNumber === undefined ? { trust_all_known_keys: true } : { verified_safety_number: safetyNumber };
      await call("PUT", `/v1/identities/${of(number)}/trust/${of(person)}`, how);
    },
  };
}

/** Undefined for what is no JSON, such as nothing. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

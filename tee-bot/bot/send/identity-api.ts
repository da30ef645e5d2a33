/** The keys by which signal-cli knows people, and the account itself. What an operator does with the account is in `../account`. */
import { z } from "zod";
import { readAnswer } from "./answers.ts";
import type { RestClient } from "./rest-client.ts";

const callMs = 30_000;

const identitySchema = z.object({
  number: z.string().nullish(),
  uuid: z.string().nullish(),
  /** Of the public key, as hexadecimal pairs with spaces. */
  fingerprint: z.string().default(""),
  /** Of the account and this person together. */
  safety_number: z.string().default(""),
  /** `TRUSTED_UNVERIFIED`, `TRUSTED_VERIFIED`, `UNTRUSTED`. */
  status: z.string(),
});

export type Identity = z.infer<typeof identitySchema>;

export class IdentityApi {
  readonly #client: RestClient;

  constructor({ client }: { client: RestClient }) {
    this.#client = client;
  }

  async identities(account: string, signal?: AbortSignal): Promise<Identity[]> {
    const path = `/v1/identities/${encodeURIComponent(account)}`;
    const answer = await this.#client.call({ method: "GET", path, timeoutMs: callMs, lane: "call", signal });
    return readAnswer(answer, z.array(identitySchema));
  }
}

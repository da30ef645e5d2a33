import { z } from "zod";
import { unavailable, type Asked } from "./failure.ts";
import type { Clock } from "../clock.ts";

const maxAgeMs = 24 * 3_600_000;
const resource = z.url().max(1_000);

/** RFC 8555 §7.1.1, RFC 9773 §4. */
const directorySchema = z.object({
  newNonce: resource,
  newAccount: resource,
  newOrder: resource,
  renewalInfo: resource.optional().catch(undefined),
  meta: z
    .object({
      caaIdentities: z.array(z.string().max(253)).max(20).catch([]),
      externalAccountRequired: z.boolean().catch(false),
    })
    .catch({ caaIdentities: [], externalAccountRequired: false }),
});
export type Directory = z.infer<typeof directorySchema>;

/** The directory of a CA, read once a day, and again after a failure that may come from an old one. */
export class DirectoryCache {
  readonly #clock: Clock;
  #held: { readonly directory: Directory; readonly at: number } | undefined;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** `fetchBody` gives the parsed body of the directory. Throws `CaError`. */
  async read(fetchBody: () => Promise<unknown>): Promise<Directory> {
    const ageMs = this.#clock.now() - (this.#held?.at ?? 0);
    if (this.#held && ageMs >= 0 && ageMs < maxAgeMs) return this.#held.directory;
    const parsed = directorySchema.safeParse(await fetchBody());
    if (!parsed.success) throw unavailable("What is at the directory's URL is no ACME directory.");
    this.#held = { directory: parsed.data, at: this.#clock.now() };
    return parsed.data;
  }

  drop(): void {
    this.#held = undefined;
  }

  /** What a URL stands for, as far as the directory tells. */
  askedFor(url: string, directoryUrl: string): Asked {
    if (url === directoryUrl) return "directory";
    const { newNonce, newAccount, newOrder, renewalInfo } = this.#held?.directory ?? {};
    if (url === newNonce) return "nonce";
    if (url === newAccount) return "account";
    if (url === newOrder) return "new-order";
    return renewalInfo !== undefined && url.startsWith(renewalInfo) ? "renewal-info" : "part";
  }
}

/** Receipts of one node's calls: what a call is given at its beginning, and what is kept and signed after it. */
import { aciVersion } from "../../../shared/attestation/aci-statement.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { ClientAnswer } from "../calls/client-answer.ts";
import type { ReceiptBook } from "./receipt-book.ts";
import { ReceiptDraft, type CitedSession, type ReceiptSubject } from "./receipt-draft.ts";
import { signReceipt } from "./receipt.ts";

/** Who signs: a key that the node's quote binds. */
export interface ReceiptSigner {
  readonly keyId: string;
  sign(bytes: Uint8Array): Uint8Array;
  /** Hex, of the keyset that is served now. */
  keysetDigest(): Promise<string>;
}

export interface ReceiptsOptions {
  readonly signer: ReceiptSigner;
  readonly book: ReceiptBook;
  readonly sessionOf: ReceiptSubject["sessionOf"];
  readonly session: (id: string) => CitedSession | undefined;
  readonly clock: Clock;
}

export class Receipts implements Disposable {
  readonly #options: ReceiptsOptions;

  constructor(options: ReceiptsOptions) {
    this.#options = options;
  }

  /** The client's end to answer through, and what the answer says (spec §5.2), names and values in turn. */
  async begin(
    client: ClientAnswer,
    { id, endpoint }: Pick<ReceiptSubject, "id" | "endpoint">,
  ): Promise<{ draft: ReceiptDraft; headers: readonly string[] }> {
    const { signer, sessionOf } = this.#options;
    const keysetDigest = `sha256:${await signer.keysetDigest()}`;
    const draft = new ReceiptDraft(client, { id, endpoint, keysetDigest, keyId: signer.keyId, sessionOf });
    const headers = ["x-aci-version", aciVersion, "x-aci-keyset-digest", keysetDigest, "x-receipt-id", id];
    return { draft, headers };
  }

  /** `answered`: the last provider that was asked gave the answer; it was not an error of ours. */
  end(draft: ReceiptDraft, answered: boolean, key: string | undefined): void {
    const drafted = draft.finish(answered, this.#options.clock.now());
    if (drafted) this.#options.book.add(drafted, key);
  }

  /** The receipt of a call that this key has made (undefined: that was made without one), signed. */
  find(name: string, key: string | undefined): object | undefined {
    const kept = this.#options.book.find(name).find((one) => one.key === key);
    return kept && signReceipt(kept.document, (bytes) => this.#options.signer.sign(bytes));
  }

  /** The JSON text of an attested session. */
  session(id: string): string | undefined {
    const current = this.#options.session(id);
    return current ? JSON.stringify(current.document) : this.#options.book.session(id);
  }

  [Symbol.dispose](): void {
    this.#options.book[Symbol.dispose]();
  }
}

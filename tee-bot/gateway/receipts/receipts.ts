/** Receipts of one node's calls: what a call is given at its beginning, and what is kept and signed after it. */
import { join } from "node:path";
import { aciVersion } from "../../../shared/attestation/aci-statement.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Sessions } from "../../attestation/near/sessions.ts";
import type { Endpoint } from "../api/endpoints.ts";
import type { ClientAnswer } from "../calls/answers/client-answer.ts";
import { ReceiptBook } from "./receipt-book.ts";
import { ReceiptDraft, type ReceiptSubject } from "./receipt-draft.ts";
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
  readonly clock: Clock;
}

/** Throws {@link AppError} when what is kept cannot be opened. */
export function openReceipts({ signer, directory, sessions, clock, log }: OpenReceiptsOptions): Receipts {
  const book = new ReceiptBook({ path: join(directory, "receipts.sqlite"), clock, log });
  return new Receipts({ signer, book, sessionOf: (upstream, model) => sessions?.newest(upstream, model), clock });
}

export interface OpenReceiptsOptions {
  readonly signer: ReceiptSigner;
  /** Where they are kept. */
  readonly directory: string;
  /** Those in which upstreams were verified. */
  readonly sessions: Pick<Sessions, "newest"> | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export class Receipts implements Disposable {
  readonly #options: ReceiptsOptions;

  constructor(options: ReceiptsOptions) {
    this.#options = options;
  }

  /** The client's end to answer through, and what the answer says (spec §5.2), names and values in turn. */
  async begin(
    client: ClientAnswer,
    { id, endpoint }: { readonly id: string; readonly endpoint: Endpoint },
  ): Promise<{ draft: ReceiptDraft; headers: readonly string[] }> {
    const { signer, sessionOf } = this.#options;
    const keysetDigest = `sha256:${await signer.keysetDigest()}`;
    const draft = new ReceiptDraft(client, {
      id,
      endpoint: endpoint.path,
      keysetDigest,
      keyId: signer.keyId,
      sessionOf,
    });
    const headers = ["x-aci-version", aciVersion, "x-aci-keyset-digest", keysetDigest, "x-receipt-id", id];
    return { draft, headers };
  }

  /** `key`: whose call it was; undefined: no key was asked for. */
  end(draft: ReceiptDraft, key: string | undefined): void {
    const drafted = draft.finish(this.#options.clock.now());
    if (drafted) this.#options.book.add(drafted, key);
  }

  /** The receipt of a call that this key has made (undefined: that was made without one), signed. */
  find(name: string, key: string | undefined): object | undefined {
    const kept = this.#options.book.find(name).find((one) => one.key === key);
    return kept && signReceipt(kept.document, (bytes) => this.#options.signer.sign(bytes));
  }

  /** The JSON text of a session that a receipt here cites. */
  session(id: string): string | undefined {
    return this.#options.book.session(id);
  }

  [Symbol.dispose](): void {
    this.#options.book[Symbol.dispose]();
  }
}

/** The evidence of one node: what it shows to whoever asks, and how that stands by its own verifier. */
import { aciReportData } from "../../../shared/attestation/aci-statement.ts";
import { evidenceVersion, type Evidence, type QuoteEvidence } from "../../../shared/attestation/evidence.ts";
import { connectionReportData, exporterLabel } from "../../../shared/attestation/report-data.ts";
import { AppError } from "../../../shared/errors.ts";
import { toHex } from "../../../shared/hex.ts";
import type { Log } from "../../../shared/log.ts";
import type { TeeContext } from "../attestation.ts";
import type { QuoteRecord } from "../client/quote-proof.ts";
import type { AgentQuote } from "../dstack/guest-agent.ts";
import { aciReport } from "./aci-report.ts";
import type { CaaView } from "./caa-view.ts";
import type { Connection } from "./connection.ts";
import { KeysetHolder, type Names } from "./keyset-holder.ts";
import type { SealedKeyset, SignalIdentity } from "./keyset.ts";
import { QuoteCache } from "./quote-cache.ts";
import { quoteEvidence } from "./quote-evidence.ts";
import { QuoteQueue } from "./quote-queue.ts";
import { SelfCheck, type SelfCheckAnswer } from "./self-check.ts";
import type { Standing } from "./standing.ts";
import { collateralOf, verifyOwn, type OwnVerifier } from "./verify-own.ts";

export interface NodeEvidenceOptions extends OwnVerifier {
  readonly tee: TeeContext;
  readonly node: string;
  /** Of the TLS key, as `digestOfSpki` has it. */
  readonly spkiSha256: string;
  /** Whether the compose text is shown. */
  readonly showCompose: boolean;
  readonly caa: CaaView;
  readonly random: () => number;
  readonly log: Log;
  readonly onChange: () => void;
}

/** In whose name quotes without a nonce are waited for: they are the same for all. */
const everybody = "everybody";

export class NodeEvidence {
  readonly #options: NodeEvidenceOptions;
  readonly #keysets: KeysetHolder;
  readonly #queue: QuoteQueue;
  readonly #cache: QuoteCache;
  readonly #self: SelfCheck;
  /** Reports that are the same for all, as they go out: by quote, then by name. */
  readonly #reports = new WeakMap<AgentQuote, Map<string, Buffer>>();

  constructor(options: NodeEvidenceOptions) {
    const { tee, facts, node, spkiSha256, clock } = options;
    this.#options = options;
    const subject = `${tee.tee === "simulated" ? "simulated" : "dstack"}-app://${facts.info.appId}`;
    const { receiptKey, e2eeKey } = facts;
    this.#keysets = new KeysetHolder({ receiptKey: receiptKey.listed, e2eeKey, spkiSha256, node, subject }, clock);
    this.#queue = new QuoteQueue({ agent: tee.agent, clock });
    this.#cache = new QuoteCache({ clock });
    this.#self = new SelfCheck({
      ...options,
      simulated: tee.tee === "simulated",
      verify: (signal) => this.#verifyOwn(spkiSha256, signal),
    });
  }

  get standing(): Standing {
    return this.#self.standing;
  }

  get keyset(): Promise<SealedKeyset> {
    return this.#keysets.current;
  }

  /** Other names, or accounts, than before are another keyset, which is checked at once. */
  follow(names: Names): void {
    if (this.#keysets.follow(names)) this.recheck();
  }

  /** The Signal identity of the node's bot. */
  followSignal(identity: SignalIdentity | undefined): void {
    if (this.#keysets.followSignal(identity)) this.recheck();
  }

  /** Something that the evidence stands on has changed. */
  recheck(): void {
    if (this.#keysets.names.hostnames.length > 0) this.#self.check();
  }

  /** Looks at itself until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#self.run(signal);
  }

  /** What this very connection is shown. Throws what {@link QuoteQueue.quote} throws. */
  async ofConnection(
    nonce: Uint8Array,
    { spkiSha256, exporter }: Connection,
    { client, signal }: { client: string; signal: AbortSignal },
  ): Promise<Evidence> {
    const { tee, facts, node, caa, collateral } = this.#options;
    const { keyset, digest } = await this.keyset;
    const reportData = await connectionReportData({
      keysetDigest: Buffer.from(digest, "hex"),
      spkiSha256,
      exporter,
      nonce,
    });
    const quote = await this.#telling(this.#queue.quote(reportData, client, signal));
    const { hostnames, zone } = this.#keysets.names;
    const held = collateral.current;
    return {
      version: evidenceVersion,
      simulated: tee.tee === "simulated",
      node_id: node,
      nonce: toHex(nonce),
      keyset,
      keyset_digest: digest,
      connection: { spki_sha256: toHex(spkiSha256), exporter_label: exporterLabel, exporter: toHex(exporter) },
      report_data: toHex(reportData),
      evidence: this.#shown(quote),
      ...(held && { collateral: held }),
      custody: [...facts.custody],
      caa: await caa.of(hostnames, zone),
      images: this.#options.showCompose ? [...facts.images] : [],
      ...(facts.gpuAttestation !== undefined && { gpu_attestation: facts.gpuAttestation }),
    };
  }

  /** The ACI report as it goes out; without a nonce a recent quote is shown again. `domain`: by which name it was asked for. */
  async aciReport(nonce: string | undefined, domain: string | undefined, client: string): Promise<Buffer> {
    const sealed = await this.keyset;
    const reportData = await aciReportData(sealed.digest, nonce);
    const asks = nonce === undefined ? everybody : client;
    const quote = await this.#telling(this.#cache.get(reportData, () => this.#queue.quote(reportData, asks)));
    const reports = this.#reports.get(quote) ?? new Map<string, Buffer>();
    this.#reports.set(quote, reports);
    const known = sealed.keyset.tls_public_keys.some((key) => key.domain === domain) ? domain : undefined;
    const made = reports.get(known ?? "") ?? this.#formReport(sealed, reportData, quote, known);
    reports.set(known ?? "", made);
    return made;
  }

  /** A quote for this nonce (32 bytes, hex), made without a connection, with all that it is judged by. */
  async quoteNow(nonce: string, signal: AbortSignal): Promise<QuoteRecord> {
    const { facts, clock } = this.#options;
    const { keyset, digest } = await this.keyset;
    const quote = await this.#telling(this.#queue.own(await aciReportData(digest, nonce), signal));
    const collateral = await collateralOf(quote, this.#options, signal);
    return {
      recorded_at: Math.floor(clock.now() / 1000),
      nonce,
      keyset,
      evidence: this.#shown(quote),
      ...(collateral && { collateral }),
      ...(facts.gpuAttestation !== undefined && { gpu_attestation: facts.gpuAttestation }),
    };
  }

  #formReport(sealed: SealedKeyset, reportData: Uint8Array, quote: AgentQuote, domain: string | undefined): Buffer {
    const { tee, facts, showCompose } = this.#options;
    const evidence = this.#shown(quote);
    const images = showCompose ? facts.images : [];
    const simulated = tee.tee === "simulated";
    const parts = {
      sealed,
      reportData: toHex(reportData),
      evidence,
      custody: facts.custody,
      images,
      domain,
      simulated,
    };
    return Buffer.from(JSON.stringify(aciReport(parts)));
  }

  /** A quote that fails tells of the agent before the next look of our own would. */
  async #telling(quote: Promise<AgentQuote>): Promise<AgentQuote> {
    try {
      return await quote;
    } catch (error) {
      if (this.standing.state === "good" && failsByAgent(error)) this.recheck();
      throw error;
    }
  }

  #shown(quote: AgentQuote): QuoteEvidence {
    const { appCompose } = this.#options.facts.info;
    return quoteEvidence(quote, this.#options.showCompose ? appCompose : undefined);
  }

  async #verifyOwn(spkiSha256: string, signal: AbortSignal): Promise<SelfCheckAnswer> {
    const { digest } = await this.keyset;
    const reportData = await aciReportData(digest, undefined);
    const quote = await this.#cache.put(reportData, this.#queue.own(reportData, signal));
    return { spkiSha256, ...(await verifyOwn(quote, reportData, this.#options, signal)) };
  }
}

function failsByAgent(error: unknown): boolean {
  return error instanceof AppError && (error.code === "tee-absent" || error.code.startsWith("upstream-"));
}

/**
 * The proof of one node, as it is joined with the rest: the pages that show it, the gate before its certificate, and what
 * is said of it to the operator. Outside a TEE all of this is there and says so.
 */
import { join } from "node:path";
import type { Trouble } from "../../shared/acme/ports.ts";
import { intelRoot } from "../../shared/attestation/dcap/intel-root.ts";
import { policySchema } from "../../shared/attestation/policy.ts";
import type { Clock } from "../../shared/clock.ts";
import { createDohServer } from "../../shared/dns/doh.ts";
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Registration } from "../../shared/registry/messages.ts";
import { announcedAccountUris } from "../certificate/announced-accounts.ts";
import { KnownAccounts } from "../certificate/known-accounts.ts";
import { digestOfSpki } from "../certificate/spki.ts";
import type { NodeConfig } from "../config.ts";
import type { Terminator } from "../server/terminator.ts";
import type { TeeState } from "./attestation.ts";
import { CertificateGate } from "./certificate-gate.ts";
import { CollateralKeeper } from "./collateral/collateral-keeper.ts";
import { CaaView } from "./evidence/caa-view.ts";
import { EvidencePages } from "./evidence/evidence-pages.ts";
import { NodeEvidence } from "./evidence/node-evidence.ts";
import type { SignalIdentity } from "./evidence/keyset.ts";
import type { NodeFacts } from "./evidence/node-facts.ts";
import type { Standing } from "./evidence/standing.ts";
import type { NodeKeys } from "./keys/node-keys.ts";
import { proofStep, type ProofStep } from "./proof-step.ts";
import { OwnWatch } from "./transparency/own-watch.ts";
import { simulatorRoot } from "./simulator-root.ts";
import type { TrustRoot } from "./verify/verification.ts";
import { verifyQuote } from "./verify/verify-quote.ts";

export interface NodeProofOptions {
  readonly tee: TeeState;
  /** Undefined outside a TEE. */
  readonly facts: NodeFacts | undefined;
  readonly keys: NodeKeys;
  readonly config: Pick<NodeConfig, "attestation" | "acmeAccount" | "files">;
  readonly terminator: Terminator;
  /** URLs of DNS resolvers (RFC 8484), as the edge names them. */
  readonly resolvers: () => readonly string[];
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The evidence stands otherwise than before. */
  readonly onChange: () => void;
}

export class NodeProof {
  readonly pages: EvidencePages;
  readonly #options: NodeProofOptions;
  readonly #gate: CertificateGate;
  readonly #collateral: CollateralKeeper | undefined;
  readonly #evidence: NodeEvidence | undefined;
  readonly #edgeAccounts: KnownAccounts;
  readonly #watch: OwnWatch | undefined;

  constructor(options: NodeProofOptions) {
    const { tee, facts, keys, clock, log, fetch, resolvers } = options;
    const { attestation: settings, files } = options.config;
    this.#options = options;
    this.#edgeAccounts = new KnownAccounts({ path: files.edgeAccounts, log });
    const { spki } = keys.tls;
    const spkiSha256 = digestOfSpki(spki);
    this.#gate = new CertificateGate({ ...options, required: settings.required, spkiSha256 });
    if (tee.tee !== "none" && facts) {
      this.#collateral = new CollateralKeeper({
        ...options,
        base: settings.collateral,
        path: join(files.directory, "collateral.json"),
        onChange: () => this.#evidence?.recheck(),
      });
      this.#evidence = new NodeEvidence({
        ...options,
        tee,
        facts,
        node: keys.identity.id,
        spkiSha256,
        showCompose: settings.appCompose,
        collateral: this.#collateral,
        caa: new CaaView({ resolvers: () => resolvers().map((url) => createDohServer({ url, fetch })), clock, log }),
        verify: verifyQuote,
        policy: policySchema.parse({}),
        trust: () => this.trust(),
        onChange: () => this.#changed(),
      });
    }
    if (settings.watch.logs.length > 0)
      this.#watch = new OwnWatch({
        ...options,
        logs: settings.watch.logs,
        expected: [spkiSha256, ...settings.watch.expect],
        path: join(files.directory, "own-watch.json"),
      });
    const absent = tee.tee === "none" ? `This node shows no evidence, since it runs in no TEE. ${tee.reason}` : "";
    this.pages = new EvidencePages({ evidence: this.#evidence, absent, clock, log });
  }

  /** What somebody has to look at. */
  get troubles(): Trouble[] {
    const { standing } = this;
    const collateral = this.#collateral?.trouble;
    return [
      ...(standing.state === "bad" ? [standing.trouble] : []),
      ...(collateral ? [collateral] : []),
      ...(this.#watch?.troubles ?? []),
    ];
  }

  get step(): ProofStep {
    const { tee, config } = this.#options;
    return proofStep(tee, this.standing, config.attestation.required);
  }

  get standing(): Standing {
    return this.#evidence?.standing ?? { state: "unknown" };
  }

  /** Hex, of the keyset that is served now. Rejects outside a TEE. */
  async keysetDigest(): Promise<string> {
    if (!this.#evidence) throw new AppError("tee-absent", "There is no keyset outside a TEE.");
    return (await this.#evidence.keyset).digest;
  }

  /** See `NodeEvidence.quoteNow`. Rejects outside a TEE. */
  async quoteNow(nonce: string, signal: AbortSignal): ReturnType<NodeEvidence["quoteNow"]> {
    if (!this.#evidence) throw new AppError("tee-absent", "There is no evidence outside a TEE.");
    return this.#evidence.quoteNow(nonce, signal);
  }

  /** Whose quotes this node believes to be its own. Throws `evidence-rejected` where a simulator has no root. */
  trust(): TrustRoot {
    const { tee, config } = this.#options;
    return tee.tee === "simulated"
      ? simulatorRoot(config.files.directory, config.attestation.socket)
      : { root: intelRoot, simulated: false };
  }

  /** Shows visitors this certificate (PEM) as soon as the node may. */
  serve(chain: string, registration: Registration | undefined): void {
    this.#gate.offer(chain, this.#options.keys.tls.pem, this.standing);
    this.follow(registration);
  }

  /**
   * What the evidence has to name: what the certificate is for, and by whose accounts it comes. `accounts`: those of the
   * edge, as it says.
   */
  follow(registration: Registration | undefined, accounts: readonly string[] = []): void {
    const { acmeAccount, files } = this.#options.config;
    const { hostnames = [], zone } = registration ?? {};
    this.#edgeAccounts.follow(accounts);
    const ofEdge = this.#edgeAccounts.current;
    const acmeAccounts = acmeAccount === "node" ? announcedAccountUris(files.announcedAccounts) : ofEdge;
    this.#evidence?.follow({ hostnames, zone, acmeAccounts });
    this.#watch?.follow(hostnames);
  }

  /** The Signal identity of the node's bot, which its evidence names from now on. */
  followSignal(identity: SignalIdentity | undefined): void {
    this.#evidence?.followSignal(identity);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#collateral?.run(signal), this.#evidence?.run(signal), this.#watch?.run(signal)]);
  }

  #changed(): void {
    this.#gate.follow(this.standing);
    this.#options.onChange();
  }
}

/** A certificate-transparency log as a watcher reads it, whatever its API is. */

/** What a log has promised at one moment: how many entries there are, and the Merkle root over them (RFC 6962 §2.1). */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
  /** Milliseconds since the Unix epoch. To be believed only where the log's key is known. */
  readonly timestamp: number;
}

export interface LogEntry {
  readonly index: number;
  /** Milliseconds since the Unix epoch: when the log took it. */
  readonly timestamp: number;
  /** `precertificate`: `der` is the TBSCertificate that the CA will sign; otherwise the whole Certificate. */
  readonly kind: "precertificate" | "certificate";
  readonly der: Uint8Array;
}

export interface CertificateLog {
  readonly url: string;
  /** Whether signatures are checked, that is whether its key is known. */
  readonly signed: boolean;
  /** The newest head. Throws `evidence-rejected` when its signature is not the log's. */
  fetchHead(signal: AbortSignal): Promise<TreeHead>;
  /** The tree below a head. Throws `evidence-rejected` when what the log serves does not hash to it. */
  openTree(head: TreeHead, signal: AbortSignal): Promise<LogTree>;
}

/** What is read here has been proved to stand in the tree; what cannot be proved is thrown as `evidence-rejected`. */
export interface LogTree {
  /** Whether the tree below `older` is how this one begins. */
  extends(older: TreeHead, signal: AbortSignal): Promise<boolean>;
  /** Some entries from `index` on, at least one. */
  readEntries(index: number, signal: AbortSignal): Promise<readonly LogEntry[]>;
}

/**
 * What a node asks of the guest agent of its confidential VM (dstack, agent_rpc.proto). Bytes are bytes here; hex is the
 * wire's. Every call throws {@link AppError}: `tee-absent` when there is no agent, `not-supported` when this one does not
 * know the call, `upstream-unavailable` and `upstream-timeout` for what else may go wrong.
 */
export interface GuestAgent {
  /** Where it listens, for messages. */
  readonly address: string;
  info(): Promise<AgentInfo>;
  /** `reportData`: at most 64 bytes; fewer are filled with zeros on the right. */
  quote(reportData: Uint8Array): Promise<AgentQuote>;
  /** dstack's own versioned form, for any kind of TEE. */
  attest(reportData: Uint8Array): Promise<Uint8Array>;
  /** 32 bytes that depend on application and path only: not on purpose or algorithm, so use a path for each. */
  key(request: KeyRequest): Promise<AgentKey>;
  /** A fresh key on each call, with a certificate of the key provider's CA. */
  tlsKey(request: TlsKeyRequest): Promise<AgentTlsKey>;
  /** By one key for the whole application. */
  sign(algorithm: SignAlgorithm, data: Uint8Array): Promise<AgentSignature>;
  verify(algorithm: SignAlgorithm, data: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): Promise<boolean>;
  /** Extends RTMR3; gone from guest agents of dstack 0.6. */
  emitEvent(event: string, payload: Uint8Array): Promise<void>;
  gpuInfo(): Promise<string>;
  /** Undefined: an agent before 0.5.7, which cannot tell. */
  version(): Promise<AgentVersion | undefined>;
}

export interface AgentInfo {
  readonly appId: string;
  readonly instanceId: string;
  readonly appName: string;
  readonly deviceId: string;
  readonly composeHash: string;
  readonly osImageHash: string;
  /** Exact text; undefined where the operator has it hidden. */
  readonly appCompose: string | undefined;
  /** JSON text: `{name, id}`. */
  readonly keyProviderInfo: string;
  /** JSON text. */
  readonly vmConfig: string;
  /** JSON text, exactly as it came. */
  readonly tcbInfo: string;
  /** Whether the agent itself says that it is a simulator. */
  readonly simulated: boolean;
}

export interface AgentQuote {
  readonly quote: Uint8Array;
  /** JSON text, exactly as it came. */
  readonly eventLog: string;
  readonly vmConfig: string;
}

export const keyAlgorithms = ["secp256k1", "ed25519"] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

export interface KeyRequest {
  readonly path: string;
  readonly purpose: string;
  readonly algorithm: KeyAlgorithm;
}

export interface AgentKey {
  readonly key: Uint8Array;
  /** Of the application, then of the key provider's root. */
  readonly signatureChain: readonly Uint8Array[];
}

export interface TlsKeyRequest {
  readonly subject: string;
  readonly altNames?: readonly string[];
  readonly usageRaTls?: boolean;
  readonly usageServerAuth?: boolean;
  readonly usageClientAuth?: boolean;
}

export interface AgentTlsKey {
  /** PEM. */
  readonly key: string;
  readonly certificateChain: readonly string[];
}

export const signAlgorithms = ["ed25519", "secp256k1", "secp256k1_prehashed"] as const;
export type SignAlgorithm = (typeof signAlgorithms)[number];

export interface AgentSignature {
  readonly signature: Uint8Array;
  readonly signatureChain: readonly Uint8Array[];
  readonly publicKey: Uint8Array;
}

export interface AgentVersion {
  readonly version: string;
  readonly rev: string;
}

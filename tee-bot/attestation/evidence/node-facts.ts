/** What a node's evidence tells besides quotes, asked of the guest agent once: it stays the same while the node runs. */
import { parseAppCompose } from "../../../shared/attestation/dstack/app-compose.ts";
import type { Custody, Evidence } from "../../../shared/attestation/evidence.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { TeeContext } from "../attestation.ts";
import type { AgentInfo } from "../dstack/guest-agent.ts";
import { listedE2eeKey, ReceiptKey, type ListedKey } from "./listed-keys.ts";

export interface NodeFacts {
  readonly info: AgentInfo;
  readonly receiptKey: ReceiptKey;
  readonly e2eeKey: ListedKey;
  readonly custody: readonly Custody[];
  /** Of the compose text, where it is not hidden. */
  readonly images: Evidence["images"];
  /** Output of `nvattest` at boot. */
  readonly gpuAttestation: string | undefined;
}

export interface FactsOptions {
  readonly tee: TeeContext;
  /** The node's id. */
  readonly node: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly tlsSpki: Uint8Array;
  readonly log: Log;
}

/** Throws what the guest agent throws, but where it has no GPU to tell of. */
export async function readFacts({ tee, node, tlsSpki, log }: FactsOptions): Promise<NodeFacts> {
  const { agent, keys } = tee;
  const info = await agent.info();
  const receiptKey = new ReceiptKey(await keys.derive("receipt"));
  const e2eeKey = listedE2eeKey(await keys.derive("e2ee"));
  const custody = [
    await keys.custody("identity", { algorithm: "ed25519", bytes: Buffer.from(node, "hex") }),
    await keys.custody("tls", { algorithm: "p256", bytes: tlsSpki }),
    await keys.custody("receipt", { algorithm: "ed25519", bytes: Buffer.from(receiptKey.listed.public_key, "hex") }),
    await keys.custody("e2ee", { algorithm: "x25519", bytes: Buffer.from(e2eeKey.public_key, "hex") }),
  ];
  const gpuAttestation = await agent.gpuInfo().catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    log.info("gpu.unattested", { error: errorText(error) });
    return undefined;
  });
  const images = imagesOf(info.appCompose);
  return { info, receiptKey, e2eeKey, custody, images, gpuAttestation: gpuAttestation || undefined };
}

/** None where the text is hidden, or is not what dstack takes: the verifier says so, here it is only shown. */
function imagesOf(appCompose: string | undefined): Evidence["images"] {
  if (appCompose === undefined) return [];
  try {
    return parseAppCompose(appCompose).images.flatMap(({ image, digest }) =>
      image === undefined ? [] : [digest === undefined ? { image } : { image, digest }],
    );
  } catch {
    return [];
  }
}

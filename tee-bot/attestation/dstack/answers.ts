/** What the guest agent answers, by its protocol (agent_rpc.proto): bytes are hex in JSON, some texts are JSON again. */
import { z } from "zod";
import type { AgentInfo, AgentKey, AgentQuote, AgentSignature, AgentTlsKey, AgentVersion } from "./guest-agent.ts";

/** What evidence has room for. A quote has some 5 kB. */
const maxQuoteBytes = 32 * 1024;
const maxChainLength = 8;

/** Hex of one of these numbers of bytes. */
function bytes(...lengths: number[]) {
  return hexOf((length) => lengths.includes(length));
}

function hexOf(fits: (length: number) => boolean) {
  return z
    .string()
    .regex(/^(?:[0-9a-fA-F]{2})*$/)
    .refine((text) => fits(text.length / 2))
    .transform((text): Uint8Array => Buffer.from(text, "hex"));
}

/** The same, kept as hex in lower case. */
function hex(...lengths: number[]) {
  return z
    .string()
    .toLowerCase()
    .regex(/^(?:[0-9a-f]{2})*$/)
    .refine((text) => lengths.includes(text.length / 2));
}

const tcbInfoSchema = z.object({ app_compose: z.string().optional() });

/** Undefined where the operator has the whole hidden: the text is empty then. */
function composeOf(tcbInfo: string): string | undefined {
  if (tcbInfo === "") return undefined;
  return tcbInfoSchema.parse(JSON.parse(tcbInfo)).app_compose || undefined;
}

const tcbInfoText = z.string().refine((text) => {
  try {
    composeOf(text);
    return true;
  } catch {
    return false;
  }
});

const infoFields = z.object({
  app_id: hex(20),
  /** Empty where the compose file wants none. */
  instance_id: hex(0, 20),
  app_name: z.string(),
  device_id: hex(0, 32),
  compose_hash: hex(32),
  os_image_hash: hex(0, 32),
  key_provider_info: z.string(),
  /** Since 0.5.2. */
  vm_config: z.string().default(""),
  tcb_info: tcbInfoText,
  /** Only a simulator of ours says it. */
  simulated: z.boolean().default(false),
});

const infoOf = (info: z.infer<typeof infoFields>): AgentInfo => ({
  appId: info.app_id,
  instanceId: info.instance_id,
  appName: info.app_name,
  deviceId: info.device_id,
  composeHash: info.compose_hash,
  osImageHash: info.os_image_hash,
  appCompose: composeOf(info.tcb_info),
  keyProviderInfo: info.key_provider_info,
  vmConfig: info.vm_config,
  tcbInfo: info.tcb_info,
  simulated: info.simulated,
});

export const infoAnswer = infoFields.transform(infoOf);

/** The first agents did not tell all of it. */
export const tappdInfoAnswer = infoFields
  .extend({
    device_id: hex(0, 32).default(""),
    compose_hash: hex(0, 32).default(""),
    os_image_hash: hex(0, 32).default(""),
    key_provider_info: z.string().default(""),
  })
  .transform(infoOf);

const quote = hexOf((length) => length > 0 && length <= maxQuoteBytes);
const eventLog = z.string().min(2);

export const quoteAnswer = z
  .object({ quote, event_log: eventLog, vm_config: z.string().default("") })
  .transform((answer): AgentQuote => ({
    quote: answer.quote,
    eventLog: answer.event_log,
    vmConfig: answer.vm_config,
  }));

export const attestAnswer = z.object({ attestation: hexOf((length) => length > 0) });

const keyBytes = 32;
/** r ‖ s ‖ recovery id. */
const recoverable = bytes(65);

export const keyAnswer = z
  .object({ key: bytes(keyBytes), signature_chain: z.array(recoverable).length(2) })
  .transform((answer): AgentKey => ({ key: answer.key, signatureChain: answer.signature_chain }));

export const tappdKeyAnswer = z
  .object({ k256_key: bytes(keyBytes), k256_signature_chain: z.array(recoverable).length(2) })
  .transform((answer): AgentKey => ({ key: answer.k256_key, signatureChain: answer.k256_signature_chain }));

const pemOf = (label: string) =>
  z.string().regex(new RegExp(`^-----BEGIN ${label}-----\\r?\\n[^-]+-----END ${label}-----\\s*$`));

export const tlsKeyAnswer = z
  .object({
    key: pemOf("PRIVATE KEY"),
    certificate_chain: z.array(pemOf("CERTIFICATE")).min(1).max(maxChainLength),
  })
  .transform((answer): AgentTlsKey => ({ key: answer.key, certificateChain: answer.certificate_chain }));

export const signAnswer = z
  .object({
    signature: bytes(64),
    /** The signature once more, then those for the key and for the application's key. */
    signature_chain: z.tuple([bytes(64), recoverable, recoverable]),
    public_key: bytes(32, 33),
  })
  .transform((answer): AgentSignature => ({
    signature: answer.signature,
    signatureChain: answer.signature_chain,
    publicKey: answer.public_key,
  }));

export const verifyAnswer = z.object({ valid: z.boolean() });

/** Whatever an agent says where it has nothing to say. */
export const emptyAnswer = z.unknown();

export const gpuAnswer = z.object({ attestation: z.string() });

export const versionAnswer = z
  .object({ version: z.string().min(1).max(64), rev: z.string().max(128).default("") })
  .transform((answer): AgentVersion => answer);

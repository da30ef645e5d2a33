/**
 * MRCONFIGID: what whoever started the TD said it would run, measured by the TDX module itself (dstack-types,
 * mr_config.rs). 48 bytes, the first of which tells the form:
 *
 *   0 (all zeros)  nothing was said
 *   1 ‖ compose hash ‖ 0…
 *   2 ‖ keccak256(compose hash ‖ application id ‖ kind of key provider ‖ its id) ‖ 0…
 *   3 ‖ SHA-256("dstack-mr-config-v3:" ‖ 0 ‖ JSON document) ‖ 0…
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { z } from "zod";
import { joinBytes } from "../../bytes.ts";
import { fromHex } from "../../hex.ts";
import { sameBytes } from "../dcap/certificate-chain.ts";
import { parseJson } from "../../parse-json.ts";
import { rejected } from "../rejected.ts";

export interface AppIdentity {
  /** Hex. */
  readonly composeHash: string;
  readonly appId: string;
  /** Hex; of the compose text. */
  readonly keyProviderId: string;
  /** The document of form 3, where the evidence has it. */
  readonly document: string | undefined;
}

/** `absent`: nothing was said. `unreadable`: in a form whose document is not at hand. */
export type MrConfigVerdict = "matches" | "differs" | "absent" | "unreadable";

export async function judgeMrConfigId(mrConfigId: Uint8Array, app: AppIdentity): Promise<MrConfigVerdict> {
  const [form = 0] = mrConfigId;
  if (mrConfigId.every((byte) => byte === 0)) return "absent";
  if (form === 3 && app.document === undefined) return "unreadable";
  const candidates = form === 3 ? await documentCandidates(app) : identityCandidates(form, app);
  return candidates.some((digest) => sameBytes(mrConfigId, fill(form, digest))) ? "matches" : "differs";
}

/** The document of form 3, which `vm_config` may carry. */
export function readMrConfigDocument(vmConfig: string | undefined): string | undefined {
  return vmConfigSchema.safeParse(parseJson(vmConfig)).data?.mr_config;
}

const vmConfigSchema = z.object({ mr_config: z.string().optional() });
const providerKinds = [0, 1, 2, 3]; // none, local, KMS, TPM
const documentDomain = "dstack-mr-config-v3:\0";
const documentSchema = z.looseObject({ compose_hash: z.string() });

function identityCandidates(form: number, { composeHash, appId, keyProviderId }: AppIdentity): Uint8Array[] {
  if (form === 1) return [bytesOf(composeHash)];
  if (form !== 2) return [];
  // The compose hash fixes the kind; trying all spares reading it from the many ways in which a text may say it.
  return providerKinds.map((kind) =>
    keccak_256(joinBytes([bytesOf(composeHash), bytesOf(appId), Uint8Array.of(kind), bytesOf(keyProviderId)])),
  );
}

async function documentCandidates({ document = "", composeHash }: AppIdentity): Promise<Uint8Array[]> {
  const said = documentSchema.safeParse(parseJson(document));
  if (said.data?.compose_hash.toLowerCase() !== composeHash) return [];
  const bytes = new TextEncoder().encode(documentDomain + document);
  return [new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))];
}

function fill(form: number, digest: Uint8Array): Uint8Array {
  const whole = new Uint8Array(48);
  whole[0] = form;
  whole.set(digest, 1);
  return whole;
}

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (!bytes) throw rejected(`${hex.slice(0, 20)}… is no hexadecimal number.`);
  return bytes;
}

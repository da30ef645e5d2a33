/** Whether the model's TEE has signed just this answer to just this request. Rules only. */
import { failed, pass, skip, type Check } from "../../../shared/attestation/check.ts";
import type { AnswerSignature, NoSignature } from "./fetch-signature.ts";
import { hasSigned, isSameKey, type SigningKey } from "./signing-key.ts";

export interface ReceivedAnswer {
  /** As the provider was asked for it. */
  readonly model: string;
  /** SHA-256 of the exact bytes that were sent and received, a stream's framing among them; hex. */
  readonly requestSha256: string;
  readonly responseSha256: string;
}

const id = "answer-signature";

/** `keys`: of the machines whose evidence was verified. */
export function decideAnswer(
  signature: AnswerSignature | NoSignature,
  answer: ReceivedAnswer,
  keys: readonly SigningKey[],
): Check {
  if ("absent" in signature) return skip(id, signature.absent);
  const { signature_kind: kind, text, signing_address: address, signing_algo: algorithm } = signature;
  if (kind === "gateway")
    return failed(id, "NEAR's gateway has signed, not the model's TEE: that proves nothing of where the model ran.");
  if (kind !== undefined && kind !== "provider_tee") return failed(id, "The signature is of a kind that is not known.");
  if (!isAttested({ algorithm, address }, keys))
    return failed(id, `${address} has signed, which no evidence of the model names.`);
  if (!hasSigned({ algorithm, address }, text, signature.signature))
    return failed(id, `The signature is not ${address}'s.`);
  const { model, requestSha256, responseSha256 } = answer;
  const parts = /^(.*):([0-9a-f]{64}):([0-9a-f]{64})$/is.exec(text);
  if (!parts) return failed(id, "What was signed is not a model and two hashes.");
  if (parts[1] !== model) return failed(id, "What was signed names another model.");
  if (parts[2]?.toLowerCase() !== requestSha256) return failed(id, "What was signed is the answer to another request.");
  if (parts[3]?.toLowerCase() !== responseSha256) return failed(id, "What was signed is another answer.");
  return pass(id, `${address}, which the model's evidence names, has signed these very bytes.`);
}

function isAttested(key: SigningKey, keys: readonly SigningKey[]): boolean {
  return keys.some((one) => isSameKey(one, key));
}

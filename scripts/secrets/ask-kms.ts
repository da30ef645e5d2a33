import { z } from "zod";
import { readBytes } from "../../shared/bytes.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { KmsKey } from "./kms-key.ts";

const timeoutMs = 20_000;
export const maxAnswerBytes = 64 * 1024;

const hex = (bytes: number) =>
  z
    .string()
    .transform((text) => text.replace(/^0x/i, ""))
    .pipe(z.string().regex(new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`)))
    .transform((text): Uint8Array => Buffer.from(text, "hex"));
const signature = z.union([z.literal("").transform(() => undefined), hex(65)]);

const answerSchema = z.object({
  public_key: hex(32),
  signature: signature.optional(),
  signature_v1: signature.optional(),
  /** Protocol Buffers' JSON has 64-bit numbers as texts. */
  timestamp: z.union([z.int().min(0), z.string().regex(/^\d{1,15}$/)]).optional(),
});

/** `kms`: the base URL of a dstack KMS, or of a VMM that asks it. Throws {@link AppError}. */
export async function askKms(
  kms: string,
  appId: string,
  { fetch, signal }: { fetch: typeof globalThis.fetch; signal: AbortSignal },
): Promise<KmsKey> {
  const url = `${kms.replace(/\/+$/, "")}/prpc/GetAppEnvEncryptPubKey?json`;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ app_id: appId }),
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const bytes = await readBytes(response, maxAnswerBytes);
    if (response.status !== 200)
      throw new AppError("upstream-unavailable", `The KMS at ${kms} answers with status ${response.status}.`);
    if (!bytes) throw new AppError("too-large", `The KMS at ${kms} answers with more than ${maxAnswerBytes} bytes.`);
    return parseKmsKey(Buffer.from(bytes).toString());
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("upstream-unavailable", `The KMS at ${kms} cannot be asked: ${errorText(error)}`);
  }
}

/** The KMS's answer as JSON. Throws {@link AppError} for anything else. */
export function parseKmsKey(text: string): KmsKey {
  const { data, error } = answerSchema.safeParse(parseJson(text));
  if (!data) {
    const where = error?.issues[0]?.path.join(".") || "its top";
    throw new AppError("bad-request", `What the KMS answers is no key for secrets: wrong at ${where}.`);
  }
  const { signature_v1: dated, timestamp } = data;
  return {
    publicKey: data.public_key,
    signature: data.signature,
    dated: dated && timestamp !== undefined ? { signature: dated, timestamp: BigInt(timestamp) } : undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The models that a node says to have verified, each judged here from the evidence that the node shows. */
import { z } from "zod";
import type { Check, Verdict } from "../../shared/attestation/check.ts";
import { readBytes } from "../../shared/bytes.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import { judgeSession } from "../../tee-bot/attestation/near/judge-session.ts";
import type { JudgeSessionOptions } from "../../tee-bot/attestation/near/judge-session.ts";

const timeoutMs = 20_000;
const maxListBytes = 1024 * 1024;
const maxSessionBytes = 16 * 1024 * 1024;
/** Of one run. */
const maxSessions = 64;

const listSchema = z.object({
  sessions: z.array(z.object({ session_id: z.string().regex(/^[0-9a-f]{64}$/) })).max(10_000),
});

export interface ModelLayerOptions extends Omit<JudgeSessionOptions, "id"> {
  readonly api: string;
  readonly key: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
}

export interface ModelResult {
  readonly model: string;
  readonly provider: string;
  readonly verdict: Verdict;
  readonly reason: string;
  /** Seconds since the node has looked. */
  readonly ageSeconds: number;
  readonly checks: readonly Check[];
}

/** Throws {@link AppError} when the node does not tell which there are, or shows something else than it should. */
export async function checkModels(options: ModelLayerOptions): Promise<ModelResult[]> {
  const { data: list } = listSchema.safeParse(await get("/v1/aci/sessions", maxListBytes, options));
  if (!list) throw new AppError("upstream-unavailable", "The node's list of sessions is of another form.");
  const results: ModelResult[] = [];
  for (const { session_id: id } of list.sessions.slice(0, maxSessions)) {
    const document = await get(`/v1/aci/sessions/${id}`, maxSessionBytes, options);
    const { model, upstream, verdict, establishedAt, isExpired, checks } = await judgeSession(document, {
      ...options,
      id,
    });
    const ageSeconds = Math.floor(options.clock.now() / 1_000) - establishedAt;
    results.push({ model, provider: upstream, verdict, reason: reasonOf(checks, isExpired), ageSeconds, checks });
  }
  return results;
}

function reasonOf(checks: readonly Check[], isExpired: boolean): string {
  const failed = checks.find(({ outcome }) => outcome === "fail");
  if (failed) return failed.detail;
  if (isExpired) return "The evidence is older than the node itself lets it be.";
  const skipped = checks.find(({ id, outcome }) => outcome === "skip" && id !== "model-gpu");
  return skipped?.detail ?? "The gateway and every machine of the model are what they should be.";
}

async function get(path: string, maxBytes: number, { api, key, fetch, signal }: ModelLayerOptions): Promise<unknown> {
  let response: Response;
  let bytes: Uint8Array | undefined;
  try {
    response = await fetch(api + path, {
      headers: { accept: "application/json", ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    bytes = await readBytes(response, maxBytes);
  } catch (error) {
    throw new AppError("upstream-unavailable", `${api} does not answer: ${errorText(error)}`);
  }
  if (response.status === 401 || response.status === 403)
    throw new AppError("forbidden", `${api} wants another key than the one in POSTERN_API_KEY.`);
  if (response.status !== 200 || !bytes)
    throw new AppError("upstream-unavailable", `${api}${path} is not to be had (status ${response.status}).`);
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    throw new AppError("upstream-unavailable", `${api}${path} is no JSON.`);
  }
}

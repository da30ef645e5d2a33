/** What an answer of a CA that is no success means, as a value (RFC 8555 §6.7) and, inside the client, thrown. */
import { z } from "zod";
import type { CaFailure, CaFailureKind } from "./ca.ts";

/** Thrown between the adapter and the methods of `Ca`. Has no `config`: acme-client passes such errors on at once. */
export class CaError extends Error {
  override readonly name = "CaError";
  readonly failure: CaFailure;

  constructor(failure: CaFailure, options?: { cause?: unknown }) {
    super(failure.detail, options);
    this.failure = failure;
  }
}

export const unavailable = (detail: string, cause?: unknown): CaError =>
  new CaError({ kind: "unavailable", detail }, { cause });

const maxDetailCharacters = 500;
const problemSchema = z.object({
  type: z.string().max(200),
  detail: z.string().catch(""),
  status: z.int().optional().catch(undefined),
});
const errorPrefix = "urn:ietf:params:acme:error:";

/** What was asked for: the same problem type means different things. */
export type Asked = "directory" | "nonce" | "account" | "new-order" | "part" | "renewal-info";

export interface RefusalAnswer {
  readonly status: number;
  readonly contentType: string;
  /** The body parsed as JSON; undefined when it is none. */
  readonly body: unknown;
  readonly retryAfterMs?: number | undefined;
}

/** The failure behind an answer with a status of 300 or more. */
export function failureOfAnswer(answer: RefusalAnswer, asked: Asked): CaFailure {
  const { status, contentType, retryAfterMs } = answer;
  const problem = problemOf(answer.body);
  if (asked === "account" && problem?.type === "unauthorized") return keyRefused(status, problem.detail);
  return {
    kind: kindOf(status, problem?.type, asked, contentType),
    ...(problem && { type: problem.type }),
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    detail: problem?.detail || `The CA answered with status ${status}${problem ? ` (${problem.type})` : ""}.`,
  };
}

/** No other account can be had for this key (RFC 8555 §7.3.6); its type would be taken for that of a name. */
function keyRefused(status: number, detail: string): CaFailure {
  return { kind: "refused", status, detail: `the account's key is not accepted any more: ${detail}` };
}

/** The `error` member of an order or a challenge (§7.1.3, §8), or undefined when there is none. */
export function failureOfMember(error: unknown): CaFailure | undefined {
  if (error === undefined || error === null) return undefined;
  const problem = problemOf(error);
  if (!problem) return { kind: "refused", detail: "The CA gave no reason." };
  const { type, detail, status } = problem;
  return {
    kind: "refused",
    type,
    ...(status !== undefined && { status }),
    detail: detail || `The CA's reason is "${type}".`,
  };
}

function problemOf(body: unknown): z.infer<typeof problemSchema> | undefined {
  const parsed = problemSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { type, detail, status } = parsed.data;
  return {
    type: type.startsWith(errorPrefix) ? type.slice(errorPrefix.length) : type,
    detail: detail.replaceAll(/\s+/g, " ").trim().slice(0, maxDetailCharacters),
    status,
  };
}

function kindOf(status: number, type: string | undefined, asked: Asked, contentType: string): CaFailureKind {
  if (status === 429 || type === "rateLimited") return "rate-limited";
  if (status >= 500 || status < 400 || type === "badNonce" || type === "serverInternal") return "unavailable";
  if (type === "accountDoesNotExist") return "account";
  // Only for an order's parts: the account may be another one than that which opened it.
  if (type === "unauthorized" && asked === "part") return "gone";
  if (type === "unauthorized" && asked === "new-order") return "account";
  // A missing fixed resource means that the directory has changed; a page for people comes from a proxy on the way.
  if (status === 404 || status === 410)
    return (asked === "part" || asked === "renewal-info") && !contentType.startsWith("text/html")
      ? "gone"
      : "unavailable";
  return type === undefined ? "unavailable" : "refused";
}

/** Retry-After as seconds or as a date (RFC 9110 §10.2.3), in ms from `now`; undefined when there is none to be read. */
export function parseRetryAfterMs(header: string | null | undefined, now: number): number | undefined {
  if (!header) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** One call of the guest agent: asked, judged by its status and form, and read. */
import type { z } from "zod";
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { AgentAddress } from "./agent-place.ts";
import { exchange, formatAddress, type AgentAnswer } from "./exchange.ts";

/** For what the agent computes by itself. */
export const callTimeoutMs = 10_000;
/** For what waits for the hardware, or for the key provider to sign a certificate. */
export const slowCallTimeoutMs = 30_000;

/** Calls one RPC by its name. Throws {@link AppError}, as `GuestAgent` has it. */
export type CallAgent = <T>(call: string, body: object, form: z.ZodType<T>, timeoutMs?: number) => Promise<T>;

export interface CallerOptions {
  readonly address: AgentAddress;
  /** What stands before the name of each call: `/`, or `/prpc/Tappd.`. */
  readonly prefix: string;
  readonly clock: Clock;
}

export function createCaller({ address, prefix, clock }: CallerOptions): CallAgent {
  const where = formatAddress(address);
  return async (call, body, form, timeoutMs = callTimeoutMs) => {
    const answer = await exchange({ address, path: prefix + call, body, timeoutMs, clock });
    if (answer.status !== 200) throw decideRefusal(call, where, answer);
    const read = form.safeParse(bodyOf(answer));
    if (read.success) return read.data;
    const fields = [...new Set(read.error.issues.map(({ path }) => path.join(".") || "the whole"))].join(", ");
    throw new AppError(
      "upstream-unavailable",
      `The guest agent at ${where} has answered ${call} in a form that is not its own: ${fields}.`,
    );
  };
}

/** Undefined where the agent does not know the call. */
export async function unlessAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AppError && error.code === "not-supported") return undefined;
    throw error;
  }
}

/** Of the agent's own words at most so much is repeated. */
const maxWordsLength = 300;

/** What an answer without success means. Agents before 0.6 say 400 also where they do not know a call. */
function decideRefusal(call: string, where: string, answer: AgentAnswer): AppError {
  const words = wordsOf(answer);
  const isUnknown = [404, 405, 501].includes(answer.status) || (answer.status === 400 && unknownCall.test(words ?? ""));
  if (isUnknown) return new AppError("not-supported", `${call} is not supported by this guest agent.`);
  const why = words === undefined ? "without saying why" : `«${words}»`;
  return new AppError(
    "upstream-unavailable",
    `The guest agent at ${where} has refused ${call} with status ${answer.status}: ${why}.`,
  );
}

const unknownCall = /\b(service|method|rpc) (was )?not found\b|\b(unknown|no such) (service|method)\b|\bremoved in\b/i;

function wordsOf(answer: AgentAnswer): string | undefined {
  const body = bodyOf(answer);
  const words = typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
  if (typeof words !== "string") return undefined;
  return words.replaceAll(/\p{Cc}+/gu, " ").slice(0, maxWordsLength);
}

/** Undefined where the body is not what its type says. An empty one is `null`, as prpc says nothing for «nothing». */
function bodyOf({ contentType, body }: AgentAnswer): unknown {
  if (body.length === 0) return null;
  if (!/^application\/(problem\+)?json\s*(;|$)/i.test(contentType)) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

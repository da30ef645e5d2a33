/**
 * One ACME order, moved step by step. The rules of what comes after what are here and below; what is done to the world
 * goes through the ports. Each step is returned, and so can be stored, before the side effect of the next.
 */
import { failingNow, failWith, hasFailed, waitFor, type Context, type Move } from "./move.ts";
import type { OrderParts, Trouble } from "./ports.ts";
import { parseProgress } from "./progress.ts";
import { cleanUp, settle } from "./steps/ending.ts";
import { download, finalize, issue } from "./steps/issuance.ts";
import { admit, leave, open } from "./steps/opening.ts";
import { authorize, complete, present, propagate, validate } from "./steps/validation.ts";
import { lengthInWords } from "./words.ts";
import { decideBackoffMs } from "../backoff.ts";
import { errorText } from "../errors.ts";

export interface AcmeOrder {
  readonly id: string;
  readonly node: string;
  /** DER. */
  readonly csr: Uint8Array<ArrayBuffer>;
  readonly hostnames: readonly string[];
  /** The certificate to be replaced, if there is one: its directory and ARI certificate id (RFC 9773 §4.1). */
  readonly replaces?: { readonly directory: string; readonly certificateId: string };
  /** What the step before has returned; empty before the first. */
  readonly progress: string;
}

/** `processing` keeps `progress` and asks to be called again; `valid` and `invalid` are the end. */
export type OrderStep =
  | {
      readonly status: "processing";
      readonly progress: string;
      /** 0: it may go on at once. */
      readonly retryAfterMs: number;
      /** For a person: "waiting for DNS: 1 of 2 resolvers see it, next look in 8 s". */
      readonly words: string;
      readonly trouble?: Trouble;
    }
  | {
      readonly status: "valid";
      /** PEM chain, leaf first. */
      readonly certificate: string;
      readonly notBefore: number;
      readonly notAfter: number;
      /** The CA's directory; undefined for a local CA. */
      readonly directory?: string;
    }
  | { readonly status: "invalid"; readonly trouble: Trouble };

/** An order that has room waits for this long in all, whatever happens; one that has none waits until it has. */
const maxAgeMs = 48 * 3_600_000;
const failedPortBackoff = { baseMs: 1_000, maxMs: 5 * 60_000 };
const failedPortPatienceMs = 24 * 3_600_000;

/** Makes the next step of an order: one side effect at most, and no sleeping. Never throws. */
export async function stepOrder(order: AcmeOrder, parts: OrderParts): Promise<OrderStep> {
  const now = parts.clock.now();
  const context: Context = { order, parts, progress: parseProgress(order.progress, now), now };
  const move = await moveOf(context).catch((error: unknown) => afterFailedPort(context, error));
  return stepOf(hasRunOut(context, move) ? failWith(context, troubleOfAge(move)) : move);
}

async function moveOf(context: Context): Promise<Move> {
  const { stage } = context.progress;
  switch (stage.name) {
    case "new":
      return admit(context, stage);
    case "leave":
      return leave(context, stage);
    case "open":
      return open(context, stage);
    case "authorize":
      return authorize(context, stage);
    case "present":
      return present(context, stage);
    case "propagate":
      return propagate(context, stage);
    case "complete":
      return complete(context, stage);
    case "validate":
      return validate(context, stage);
    case "finalize":
      return finalize(context, stage);
    case "issue":
      return issue(context, stage);
    case "download":
      return download(context, stage);
    case "clean-up":
      return cleanUp(context, stage);
    case "settle":
      return settle(context, stage);
  }
}

/** A part of Postern itself did not answer: the zone's object, the edge, the account's object. */
function afterFailedPort(context: Context, error: unknown): Move {
  const failing = failingNow(context);
  const trouble = {
    detail: `A part of Postern did not answer: ${errorText(error)}`,
    remedy: "Nothing to do: it is tried again. If it lasts, see the edge's log.",
  };
  if (hasFailed(context, failedPortPatienceMs)) return failWith(context, trouble);
  const ms = decideBackoffMs(failing.times - 1, { ...failedPortBackoff, random: context.parts.random });
  return waitFor(context, { ms, words: `next try in ${lengthInWords(ms)}`, trouble, changes: { failing } });
}

/** Only an order that waits can be too old: one that goes on may go on. */
function hasRunOut({ progress }: Context, move: Move): boolean {
  const { spentMs, stage } = progress;
  if (move.kind === "ends" || move.waitMs === 0 || stage.name === "clean-up" || stage.name === "settle") return false;
  return spentMs > maxAgeMs;
}

function troubleOfAge(move: Move): Trouble {
  const last = move.kind === "goes-on" ? move.trouble : undefined;
  return {
    detail: `No certificate came of the order within ${lengthInWords(maxAgeMs)}.${last ? ` Last: ${last.detail}` : ""}`,
    remedy: last?.remedy ?? "Order again; if it lasts, see the CA's status page.",
  };
}

function stepOf(move: Move): OrderStep {
  if (move.kind === "ends") return move.step;
  const { progress, waitMs, words, trouble } = move;
  return {
    status: "processing",
    progress: JSON.stringify(progress),
    retryAfterMs: waitMs,
    words,
    ...(trouble && { trouble }),
  };
}

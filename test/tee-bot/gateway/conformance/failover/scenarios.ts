/**
 * Sixteen ways in which a provider fails, and what a gateway with a second provider should do: the scenarios of the public
 * catalogue failoverbench (v0.1), told anew. Where the original waits long, times here are a fifth of its, in the same
 * ratios; `check` has the original's number in the comment where it differs.
 */
import { inTurn, until, type Behaviour } from "../../../../support/upstream/behaviour.ts";
import { cutAfter, endBeforeHead, malformedAt } from "../../../../support/upstream/behaviours/broken.ts";
import { answering } from "../../../../support/upstream/behaviours/complete.ts";
import {
  contentRefused,
  contextExceeded,
  rateLimited,
  refusing,
  unlessPrefilled,
} from "../../../../support/upstream/behaviours/refusals.ts";
import { silent, stallingAfter } from "../../../../support/upstream/behaviours/silences.ts";
import { checks, type Check } from "./checks.ts";

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** Made anew for each run, since some remember when they began. */
  readonly primary: () => Behaviour;
  readonly fallback?: () => Behaviour;
  /** What somebody who calls should get: the whole answer, or the provider's own reason. */
  readonly ideal: "answer" | "error";
  /** Without it the scenario fails. */
  readonly required: readonly Check[];
  /** Without it, it passes in part only. */
  readonly advised: readonly Check[];
  /** Calls one after another, rather than one. */
  readonly sequence?: { readonly count: number; readonly everyMs: number };
  /** Until when the primary is down. */
  readonly downMs?: number;
  /** So many times as fast as it says, on a clock that is. */
  readonly haste?: number;
  /** A call that takes longer hangs. */
  readonly hangAfterMs: number;
}

const { atLeastAttempts, atMostAttempts, atMostWithin, firstGapAtLeast, within } = checks;
const once = { hangAfterMs: 9_000, ideal: "answer", advised: [] } as const;
const normal = answering();
const overloaded = refusing(503, { message: "The engine is overloaded.", code: "overloaded" });

/** The gateway gives up on a provider that says nothing after this long (10 s), and on one that falls silent after that. */
export const limits = { firstTokenSeconds: 2, idleSeconds: 2 } as const;

const flap = { downMs: 60_000, haste: 10 } as const;

export const scenarios: readonly Scenario[] = [
  {
    ...once,
    id: "S01",
    title: "429 with Retry-After",
    primary: () => inTurn(rateLimited(1), normal),
    required: [atMostWithin(2, 750)],
    advised: [atLeastAttempts(2), firstGapAtLeast(900)],
  },
  {
    ...once,
    id: "S02",
    title: "429 without Retry-After, for good",
    primary: () => rateLimited(),
    required: [atMostWithin(4, 3_000), atMostAttempts(6)],
  },
  {
    ...once,
    id: "S03",
    title: "500 once, then well",
    primary: () => inTurn(refusing(500), normal),
    required: [],
    advised: [atLeastAttempts(2)],
  },
  { ...once, id: "S04", title: "503 for good", primary: () => overloaded, required: [atMostAttempts(6)] },
  {
    ...once,
    id: "S05",
    title: "reset before the head",
    primary: () => inTurn(endBeforeHead("reset"), normal),
    required: [],
  },
  {
    ...once,
    id: "S06",
    title: "no answer at all",
    primary: () => silent,
    required: [within(20_000)], // 100 s
    advised: [atMostAttempts(1)],
    hangAfterMs: 26_000,
  },
  {
    ...once,
    id: "S07",
    title: "slow first token",
    primary: () => answering({ firstAfterMs: 4_000 }), // 20 s
    required: [],
    advised: [within(3_000)], // 15 s
    hangAfterMs: 12_000,
  },
  {
    ...once,
    id: "S08",
    title: "stream cut amid the answer",
    primary: () => cutAfter(40, "close"),
    required: [checks.noTruncatedSuccess],
  },
  {
    ...once,
    id: "S09",
    title: "stream stalls",
    primary: () => stallingAfter(20, 6_000), // 30 s
    required: [within(9_000), checks.noTruncatedSuccess, checks.aliveAfter], // 45 s
    hangAfterMs: 14_000,
  },
  {
    ...once,
    id: "S10",
    title: "malformed event in the stream",
    primary: () => malformedAt(10),
    required: [checks.aliveAfter, checks.noTruncatedSuccess],
    advised: [checks.complete],
  },
  {
    ...once,
    id: "S11",
    title: "stream without [DONE]",
    primary: () => answering({ done: false }),
    required: [within(1_600)], // 8 s
    advised: [checks.usage],
  },
  {
    ...once,
    id: "S12",
    title: "context length exceeded",
    primary: () => contextExceeded,
    required: [checks.exactlyOneAttempt],
  },
  {
    ...once,
    id: "S13",
    title: "refused by the content filter",
    primary: () => contentRefused,
    ideal: "error",
    required: [checks.exactlyOneAttempt],
  },
  {
    ...once,
    id: "S14",
    title: "cut stream, and a fallback that takes no prefill",
    primary: () => cutAfter(40, "close"),
    fallback: () => unlessPrefilled(normal),
    required: [checks.noPrefillMasking, checks.noTruncatedSuccess],
  },
  {
    ...once,
    id: "S15",
    title: "down for a minute, then well",
    ...flap,
    primary: () => until(flap.downMs / flap.haste, overloaded, normal),
    required: [checks.servedWhileDown, checks.recoveredWithin(30_000)],
    sequence: { count: 20, everyMs: 4_000 },
    hangAfterMs: 30_000,
  },
  {
    ...once,
    id: "S16",
    title: "accounting of a fail-over",
    primary: () => overloaded,
    required: [checks.reportsFallbackModel, atMostAttempts(6)],
    advised: [checks.usage],
  },
];

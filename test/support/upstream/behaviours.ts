/** What the stand-in can do, by name: a model of that name is answered so. */
import { inTurn, type Behaviour } from "./behaviour.ts";
import * as broken from "./behaviours/broken.ts";
import * as complete from "./behaviours/complete.ts";
import * as refusals from "./behaviours/refusals.ts";
import * as silences from "./behaviours/silences.ts";

export type { Behaviour } from "./behaviour.ts";

const { usualCut } = broken;
const normal = complete.answering();

export const behaviours = {
  normal,
  paced: complete.answering({ everyMs: 10 }),
  "slow-first-token": complete.answering({ firstAfterMs: 1_000 }),
  "no-done": complete.answering({ done: false }),
  "tool-calls": complete.callTool,
  "odd-json": complete.answerOddly,
  "never-streams": complete.answerJson,
  compressed: complete.answerCompressed,
  huge: complete.answeringBytes(8 << 20),

  "closed-before-head": broken.endBeforeHead("close"),
  "reset-before-head": broken.endBeforeHead("reset"),
  "closed-in-head": broken.endInHead("close"),
  "reset-in-head": broken.endInHead("reset"),
  "closed-after-head": broken.endAfterHead("close"),
  "reset-after-head": broken.endAfterHead("reset"),
  "closed-between-events": broken.cutAfter(usualCut, "close"),
  "reset-between-events": broken.cutAfter(usualCut, "reset"),
  "closed-mid-event": broken.cutMidEvent(usualCut, "close"),
  "reset-mid-event": broken.cutMidEvent(usualCut, "reset"),
  "ends-unfinished": broken.endUnfinished(usualCut),
  "ends-uncounted": broken.endUncounted,
  "malformed-event": broken.malformedAt(10),
  "length-too-long": broken.miscounted(100),
  "length-too-short": broken.miscounted(-100),
  "error-first": broken.errorEventAfter(0),
  "error-later": broken.errorEventAfter(usualCut),
  "error-then-done": broken.errorEventAfter(usualCut, { done: true }),
  "error-named": broken.errorEventAfter(usualCut, { named: true }),
  "error-beside-choices": broken.errorBesideChoices,

  "rate-limited": refusals.rateLimited(),
  "rate-limited-for-1s": refusals.rateLimited(1),
  "rate-limited-for-an-hour": refusals.rateLimited(3_600),
  "rate-limited-until-a-date": (request, reply) => refusals.rateLimited(new Date(Date.now() + 2_000))(request, reply),
  "rate-limited-once": inTurn(refusals.rateLimited(1), normal),
  "context-exceeded": refusals.contextExceeded,
  "content-refused": refusals.contentRefused,
  "key-refused": refusals.keyRefused,
  forbidden: refusals.refusing(403),
  "model-missing": refusals.modelMissing,
  "timed-out": refusals.refusing(408),
  "failing-500": refusals.refusing(500),
  "failing-502": refusals.htmlPage(502),
  "failing-503": refusals.refusing(503, { code: "overloaded" }),
  "failing-504": refusals.refusing(504),
  "failing-529": refusals.refusing(529, { type: "overloaded_error" }),
  "failing-once": inTurn(refusals.refusing(500), normal),
  "reset-once": inTurn(broken.endBeforeHead("reset"), normal),
  "page-for-people": refusals.htmlPage(200),

  silent: silences.silent,
  "silent-after-head": silences.silentAfterHead(),
  "only-comments": silences.silentAfterHead({ commentEveryMs: 20 }),
  stalling: silences.stallingAfter(20),
} satisfies Record<string, Behaviour>;

export type BehaviourName = keyof typeof behaviours;

/** Any other name is an ordinary model. */
export function decideBehaviour(model: string): Behaviour {
  return Object.hasOwn(behaviours, model) ? behaviours[model as BehaviourName] : normal;
}

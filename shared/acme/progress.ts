/** What an order has come to: kept as text between its steps, so that any process can go on with it. */
import { z } from "zod";

const version = 1;

/** How a stored order of the CA is found again. */
const placedOrder = z.object({
  /** The CA's directory. */
  directory: z.string(),
  url: z.string(),
  finalize: z.string(),
  authorizations: z.array(z.string()),
});
export type PlacedOrder = z.infer<typeof placedOrder>;

const challenge = z.object({ hostname: z.string(), url: z.string(), response: z.string() });
export type PlacedChallenge = z.infer<typeof challenge>;

const method = z.enum(["dns-01", "tls-alpn-01"]);
const trouble = z.object({ detail: z.string(), remedy: z.string() });
const challenged = { order: placedOrder, challenges: z.array(challenge).min(1), method };

/** What is left when nothing is to be done at the CA any more. */
const issued = z.object({
  kind: z.literal("issued"),
  directory: z.string(),
  certificate: z.string(),
  notBefore: z.int(),
  notAfter: z.int(),
});
const failed = z.object({ kind: z.literal("failed"), trouble });
/** Another attempt, not before `at`. */
const again = z.object({ kind: z.literal("again"), at: z.int() });
export type Outcome = z.infer<typeof issued> | z.infer<typeof failed>;
export type Ending = Outcome | z.infer<typeof again>;

/** The step that comes next. Each is stored before its side effect, of which it has one at most. */
const stage = z.discriminatedUnion("name", [
  /** Finds a CA whose budget has room, from `notBefore` on. */
  z.object({ name: z.literal("new"), notBefore: z.int() }),
  /** Gives up the places at other CAs. */
  z.object({ name: z.literal("leave"), directory: z.string() }),
  z.object({ name: z.literal("open"), directory: z.string() }),
  z.object({ name: z.literal("authorize"), order: placedOrder, method }),
  z.object({ name: z.literal("present"), ...challenged, troubles: z.int() }),
  z.object({ name: z.literal("propagate"), ...challenged }),
  /** Challenge `next` is the one to be completed. */
  z.object({ name: z.literal("complete"), ...challenged, next: z.int().min(0) }),
  z.object({ name: z.literal("validate"), ...challenged }),
  /** `times`: how often it was asked for already. */
  z.object({ name: z.literal("finalize"), order: placedOrder, times: z.int() }),
  z.object({ name: z.literal("issue"), order: placedOrder, times: z.int() }),
  z.object({ name: z.literal("download"), order: placedOrder, certificate: z.string() }),
  z.object({ name: z.literal("clean-up"), ending: z.discriminatedUnion("kind", [issued, failed, again]) }),
  z.object({ name: z.literal("settle"), outcome: z.discriminatedUnion("kind", [issued, failed]) }),
]);
export type Stage = z.infer<typeof stage>;
export type StageOf<Name extends Stage["name"]> = Extract<Stage, { name: Name }>;

/** All times are milliseconds since the Unix epoch. */
const progressSchema = z.object({
  version: z.literal(version),
  stage,
  /** When this stage began, and how often it has waited since. */
  since: z.int(),
  waits: z.int().min(0),
  /** What it has waited in all since it had room; not by the clock, which may jump. */
  spentMs: z.int().min(0),
  /** Since when, and how often, whoever is asked has failed to answer; null when the last answer was one. */
  failing: z.object({ since: z.int(), times: z.int() }).nullable(),
  /** Attempts that ended with a refusal of the CA. */
  attempts: z.int().min(0),
  /** How often it began anew because the CA had forgotten the order or the account. */
  restarts: z.int().min(0),
  /** Directories where the order has, or may have, a place in the budget or the queue. */
  places: z.array(z.string()),
  /** Directories that are passed over for a while, or for good because they refused. */
  passedOver: z.array(z.object({ directory: z.string(), until: z.int(), refused: z.boolean() })),
  /** Whether TXT records may have been written. */
  presented: z.boolean(),
  /** Why the last attempt failed. */
  trouble: trouble.optional(),
});
export type Progress = z.infer<typeof progressSchema>;

/** Text that cannot be read, or is of a version that is not known, is as good as none: the order begins anew. */
export function parseProgress(text: string, now: number): Progress {
  try {
    const parsed = progressSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    // no JSON: empty before the first step
  }
  return {
    version,
    stage: { name: "new", notBefore: now },
    since: now,
    waits: 0,
    spentMs: 0,
    failing: null,
    attempts: 0,
    restarts: 0,
    places: [],
    passedOver: [],
    presented: text !== "", // unreadable progress may have written some
  };
}

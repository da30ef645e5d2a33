/** Whether a bot works, judged by what is known of its parts: in words, with what to do. Rules only. */
import type { BotState } from "../bot-state.ts";

/** What a look at the REST server gave; undefined for what was not asked. */
export interface RestLook {
  readonly mode?: string;
  readonly version?: string;
  /** Numbers. */
  readonly accounts?: readonly string[];
  readonly trust?: string;
  /** Why there was no answer. */
  readonly trouble?: string;
}

export interface BotFacts {
  readonly rest: RestLook;
  /** Undefined: the node does not run, or has no bot. */
  readonly bot: BotState | undefined;
  /** Why there is none. */
  readonly botTrouble?: string | undefined;
  /** Signal waits for a captcha. */
  readonly isChallenged: boolean;
}

export type Verdict = "well" | "attention" | "down";

export interface Finding {
  /** `note`: nothing is wrong now. */
  readonly weight: Verdict | "note";
  readonly detail: string;
  readonly remedy: string;
}

/** Mail that waits longer than this is not being worked at. */
const lateMs = 10 * 60_000;

export function judgeBot({ rest, bot, botTrouble, isChallenged }: BotFacts, now: number): Finding[] {
  return [...judgeRest(rest), ...(bot ? judgeWork(bot, now) : [absent(botTrouble)]), ...judgeChallenge(isChallenged)];
}

/** The worst of them. */
export function decideVerdict(findings: readonly Finding[]): Verdict {
  const has = (wanted: Verdict): boolean => findings.some(({ weight }) => weight === wanted);
  return has("down") ? "down" : has("attention") ? "attention" : "well";
}

function judgeRest({ mode, accounts, trust, trouble }: RestLook): Finding[] {
  if (trouble !== undefined)
    return [finding("down", trouble, "Start signal-cli-rest-api, or mend signal.api; its own log says why it ended.")];
  const found: Finding[] = [];
  if (mode !== undefined && !mode.startsWith("json-rpc"))
    found.push(
      finding(
        "attention",
        `The REST server runs in MODE=${mode}: messages are polled, slowly.`,
        "Set its MODE=json-rpc.",
      ),
    );
  if (accounts?.length === 0)
    found.push(finding("down", "The REST server has no account.", "postern signal link, or postern signal register."));
  if (trust === "always")
    found.push(
      finding(
        "attention",
        "Every new key of a person is trusted: whoever takes over a number is believed.",
        "Set JSON_RPC_TRUST_NEW_IDENTITIES=on-first-use at the REST server.",
      ),
    );
  if (trust === "never")
    found.push(
      finding(
        "attention",
        "No new key of a person is trusted: nobody gets an answer before you trust them by hand.",
        "Set JSON_RPC_TRUST_NEW_IDENTITIES=on-first-use at the REST server.",
      ),
    );
  return found;
}

function judgeWork({ mailbox, sending, isStoreAway }: BotState, now: number): Finding[] {
  const found = sending.troubles.map(({ text }) => finding("attention", text, "What to do is said there."));
  if (isStoreAway)
    found.push(
      finding("attention", "The store of conversations is away; mail waits.", "Start Redis, or mend REDIS_URL."),
    );
  const waitsMs = mailbox.oldestAt === undefined ? 0 : now - mailbox.oldestAt;
  if (waitsMs > lateMs)
    found.push(
      finding(
        "attention",
        `Mail has waited for ${Math.round(waitsMs / 60_000)} minutes.`,
        "postern status says whether the gateway has a model that answers.",
      ),
    );
  const asideWords = [
    ...(mailbox.undecidable > 0 ? [`${mailbox.undecidable} of unknown outcome`] : []),
    ...(mailbox.dead > 0 ? [`${mailbox.dead} given up`] : []),
  ];
  if (asideWords.length > 0)
    found.push(
      finding(
        "note",
        `Put aside: ${asideWords.join(", ")}.`,
        "postern signal status --letters lists them, without content.",
      ),
    );
  return found;
}

function absent(why: string | undefined): Finding {
  return finding("down", why ?? "The node does not run.", "Start it with postern start; until then mail waits.");
}

function judgeChallenge(isChallenged: boolean): Finding[] {
  if (!isChallenged) return [];
  const page = "https://signalcaptchas.org/challenge/generate.html";
  return [
    finding(
      "attention",
      "Signal wants a person to solve a captcha before the account may send.",
      `Solve it at ${page}, then: postern signal challenge TOKEN 'signalcaptcha://…'`,
    ),
  ];
}

function finding(weight: Finding["weight"], detail: string, remedy: string): Finding {
  return { weight, detail, remedy };
}

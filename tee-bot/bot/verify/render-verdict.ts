/** What `!verify` answers: the verdict first, then each layer, in at most eight lines. Rules only. */
import type { Verdict } from "../../../shared/attestation/check.ts";
import type { Keyset } from "../../../shared/attestation/keyset.ts";
import type { BotVerdict } from "./decide-verdict.ts";
import type { ModelLook } from "./look-at-model.ts";
import type { NodeLook } from "./look-at-node.ts";

export interface Answered {
  readonly verdict: BotVerdict;
  readonly node: NodeLook;
  readonly model: ModelLook;
  /** Of the node's evidence, hex. */
  readonly nonce: string;
  /** Whether the person gave words. */
  readonly hasWords: boolean;
  /** Name of the attached proof file; undefined: there is none. */
  readonly file: string | undefined;
  /** Milliseconds since 1970: when the node was looked at, and now. */
  readonly lookedAt: number;
  readonly now: number;
}

const headlines = {
  verified: "**VERIFIED.** This bot runs in a TEE, and so does the model that answers you.",
  partly: "**PARTLY VERIFIED.** This bot runs in a TEE. The model does not: whoever runs it can read what you write.",
  outside:
    "**NOTHING IS PROVED.** This bot runs outside a TEE: nothing can be proved. Whoever runs its machine can read what you write.",
  refused: "**REFUSED.** The evidence is bad. Do not write anything here that others must not read.",
  unknown: "**COULD NOT CHECK.** Not everything could be looked at, and what is not known does not count as good.",
  simulated: "**SIMULATED – PROVES NOTHING.** A simulator has signed, no hardware: this is for trying things out.",
} as const satisfies Record<BotVerdict, string>;

/** In Markdown, each line an item of its own. */
export function renderVerdict(answered: Answered): string {
  const { verdict, node, model, file } = answered;
  const lines = [headlines[verdict], botLine(answered), modelLine(model, answered.now)];
  if (node.kind === "seen" && isGood(node.report)) lines.push(signalLine(node.keyset));
  if (node.kind === "seen") lines.push(nonceLine(answered));
  if (file !== undefined) lines.push(checkLine(file, node));
  if (verdict === "verified" || verdict === "partly")
    lines.push("Not proved: that it is the code you want (compare the hash), and what Signal's own servers learn.");
  return lines.map((line, index) => (index === 0 ? line : `- ${line}`)).join("\n");
}

function botLine({ node, lookedAt, now }: Answered): string {
  if (node.kind === "outside") return `Bot: ${plain(node.reason)}`;
  const { report } = node;
  const { measured } = report;
  if (!isGood(report) || !measured) return `Bot: ${plain(report.reason)}`;
  const age = ageOf(lookedAt, now);
  const where = node.where === undefined ? "its own quote, without a connection" : `the connection to ${node.where}`;
  const code = measured.composeHash === undefined ? "unknown code" : `code \`${shortHash(measured.composeHash)}\``;
  const who = report.verdict === "simulated" ? "a simulator" : "a TEE";
  return `Bot: ${who} has signed for ${where}, ${age}; ${code}.`;
}

function modelLine({ shown, report }: ModelLook, now: number): string {
  if (shown.place === "none") return "Model: there is none now.";
  const name = `\`${shown.name.replaceAll(/[`\s]/g, "")}\`${shown.provider === undefined ? "" : ` at ${plain(shown.provider)}`}`;
  if (shown.place === "here")
    return `Model: ${name} runs on the bot's own machine, so what holds for the bot covers it.`;
  if (shown.place === "plain") return `Model: ${name}. No TEE is claimed for it.`;
  if (shown.place === "unseen") return `Model: ${name} could not be looked at. ${plain(shown.problem)}`;
  if (!report) return `Model: ${name} was not looked at.`;
  const age = ageOf(report.at, now);
  if (report.verdict === "verified")
    return `Model: ${name} runs in TEEs, and so does the gateway before it; looked at ${age}.`;
  if (report.verdict === "simulated") return `Model: ${name}: a simulator has signed, ${age}; that proves nothing.`;
  const open = report.checks.find(({ outcome }) => outcome === (report.verdict === "refused" ? "fail" : "skip"));
  return `Model: ${name}: ${report.verdict}, ${age}. ${plain(open?.detail ?? "")}`;
}

/** A safety number is of two people: of its two halves one is the bot's, and the same in every chat with it. */
function signalLine(keyset: Keyset | undefined): string {
  const digits = keyset?.signal_safety_number;
  if (digits === undefined)
    return "Signal: the evidence names no Signal key, so it says nothing of this chat's encryption.";
  return `Signal: the safety number that your Signal shows for this bot must contain \`${groupDigits(digits)}\` as its first or its second half.`;
}

function nonceLine({ nonce, hasWords }: Answered): string {
  const how = hasWords
    ? "made of your words and of chance"
    : "made of chance; write `!verify` with words of your own to have them in it";
  return `Question: nonce \`${shortHash(nonce)}\`, ${how}.`;
}

function checkLine(file: string, node: NodeLook): string {
  const root = node.kind === "seen" && node.report.measured?.simulated ? " --simulator-root ROOT.pem" : "";
  return `Check it yourself, offline: \`postern verify ${file}${root}\``;
}

function isGood({ verdict }: { readonly verdict: Verdict }): boolean {
  return verdict === "verified" || verdict === "simulated";
}

/** Enough to compare by eye, of both ends. */
export const shortHash = (hex: string): string => `${hex.slice(0, 8)}…${hex.slice(-8)}`;

/** As Signal shows them: groups of five. */
export const groupDigits = (digits: string): string => (digits.match(/.{1,5}/g) ?? []).join(" ");

const hourMs = 3_600_000;
const minuteMs = 60_000;

function ageOf(at: number, now: number): string {
  const ms = Math.max(0, now - at);
  if (ms < minuteMs) return `${Math.floor(ms / 1_000)} s ago`;
  return ms < hourMs ? `${Math.floor(ms / minuteMs)} min ago` : `${Math.floor(ms / hourMs)} h ago`;
}

const maxPlainLength = 300;

/** Words of others, in one line and without Markdown of theirs. */
function plain(text: string): string {
  return text
    .replaceAll(/[\s`*_~|[\]<>\\]+/g, " ")
    .trim()
    .slice(0, maxPlainLength);
}

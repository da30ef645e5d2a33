/** How the bot is, as a person reads it: the verdict first, then the parts, then what to do. */
import { timeInWords } from "../../shared/acme/words.ts";
import type { z } from "zod";
import type { Finding, RestLook, Verdict } from "../bot/health/judge-bot.ts";
import type { letterListSchema, SignalReport } from "../control/signal-messages.ts";
import { painter } from "./paint.ts";
import { printable } from "./printable.ts";

export interface SignalStatus {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly api: string;
  readonly rest: RestLook;
  readonly bot?: SignalReport["state"] | undefined;
  /** What lifts a limit, with a captcha. */
  readonly challenge?: string | undefined;
  /** How messages come in. */
  readonly receive: {
    readonly by: string;
    readonly address: string;
    readonly websocket: boolean;
    readonly public: boolean;
  };
  readonly letters?: z.infer<typeof letterListSchema>["letters"] | undefined;
}

const colors = { well: "green", attention: "yellow", down: "red", note: "yellow" } as const;
const words = {
  well: "The bot is well.",
  attention: "The bot needs attention.",
  down: "The bot does not work.",
} as const;

export function formatSignalStatus(status: SignalStatus, color: boolean): string {
  const { verdict, findings, api, rest, bot, challenge, receive, letters } = status;
  const paint = painter(color);
  const row = (name: string, text: string): string => `  ${name.padEnd(13)}  ${text}`;
  const server = rest.trouble ?? `signal-cli-rest-api ${rest.version ?? "?"}, MODE=${rest.mode ?? "?"}`;
  const trust = rest.trust === undefined ? "" : `, new keys: ${rest.trust}`;
  const ways = [
    `webhook at ${receive.address}${receive.public ? " and at the public name" : ""}`,
    ...(receive.websocket ? ["WebSocket beside it"] : []),
  ];
  const lines = [
    paint(colors[verdict], words[verdict]),
    "",
    row("REST server", printable(`${api}: ${server}${trust}`)),
    row("account", bot?.account ?? rest.accounts?.join(", ") ?? "not known yet"),
    row(
      "messages in",
      `${ways.join(", ")}; taken in by ${receive.by === "node" ? "the node" : "postern signal receive"}`,
    ),
    ...(bot ? botRows(bot, row) : []),
    ...(challenge === undefined ? [] : [row("challenge", printable(challenge))]),
    ...findings.flatMap(({ weight, detail, remedy }) => [
      "",
      `  ${paint(colors[weight], weight === "note" ? "·" : "!")} ${printable(detail)}`,
      `    → ${printable(remedy)}`,
    ]),
    ...(letters ? ["", ...formatLetters(letters)] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function botRows({ answered, mailbox, sending }: SignalReport["state"], row: (name: string, text: string) => string) {
  const since = mailbox.oldestAt === undefined ? "" : `, the oldest since ${timeInWords(mailbox.oldestAt)}`;
  return [
    row("mail", `${answered} answered, ${mailbox.waiting} waiting${since}, ${mailbox.inHand} in hand`),
    row("replies", `${mailbox.replies} to send, ${mailbox.undecidable} of unknown outcome, ${mailbox.dead} put aside`),
    row(
      "sending",
      sending.pause ? `paused until ${timeInWords(sending.pause.until)}: ${sending.pause.why}` : "goes on",
    ),
  ];
}

function formatLetters(letters: NonNullable<SignalStatus["letters"]>): string[] {
  if (letters.length === 0) return ["  nothing was put aside"];
  return letters.map(
    ({ id, what, why, at, reason }) => `  ${what} ${id}  ${timeInWords(at)}  ${why}: ${printable(reason)}`,
  );
}

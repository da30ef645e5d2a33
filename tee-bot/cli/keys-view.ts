import { timeInWords } from "../../shared/acme/words.ts";
import type { ListedKey, MadeKey } from "../control/key-messages.ts";

/** The one time that somebody sees the text of a key. */
export function formatMadeKey({ key, text }: MadeKey, curl: string | undefined): string {
  const rows = [
    ["name", key.name],
    ["id", key.id],
    ["expires", key.expiresAt === undefined ? "never" : timeInWords(key.expiresAt)],
    ["models", key.models?.join(", ") ?? "all"],
    ["limits", limitsOf(key)],
    ...(curl === undefined ? [] : [["try", curl]]),
  ];
  return `${text}\n\n  Keep it: it is not shown again.\n\n${rows.map(([name, value]) => `  ${String(name).padEnd(8)} ${value}\n`).join("")}`;
}

/** One line a key, in columns. */
export function formatKeyList(keys: readonly ListedKey[], now: number): string {
  if (keys.length === 0) return "There are no API keys. Make one with: postern keys create --name NAME\n";
  const head = ["NAME", "ID", "STATE", "LAST USED", "TOKENS THIS MONTH", "EXPIRES", "MODELS", "LIMITS"];
  const rows = keys.map((key) => [
    key.name,
    key.id,
    key.state,
    key.lastUsedAt === undefined ? "never" : ago(now - key.lastUsedAt),
    String(key.tokensThisMonth),
    key.expiresAt === undefined ? "never" : timeInWords(key.expiresAt),
    key.models?.join(",") ?? "all",
    limitsOf(key),
  ]);
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function limitsOf({ requestsPerMinute, tokensPerMinute, tokensPerMonth }: ListedKey): string {
  const limits = [
    requestsPerMinute !== undefined && `${requestsPerMinute} requests/min`,
    tokensPerMinute !== undefined && `${tokensPerMinute} tokens/min`,
    tokensPerMonth !== undefined && `${tokensPerMonth} tokens/month`,
  ].filter((limit) => limit !== false);
  return limits.length === 0 ? "none" : limits.join(", ");
}

/** A use is known to the minute. */
function ago(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 2) return "just now";
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} d ago`;
}

/** One round of reading a log: from where the last one ended to its present head, never further back. */
import { AppError } from "../../../shared/errors.ts";
import type { CertificateLog, LogEntry, TreeHead } from "./log/certificate-log.ts";

/** A day, as the maximum merge delay of RFC 6962 logs: a log that lives signs a new head at least so often. */
export const maxHeadAgeMs = 24 * 3_600_000;

export interface LogPosition {
  /** The head that was seen last: every later one has to have it as its beginning. */
  readonly head: TreeHead;
  /** The first entry that was not read. */
  readonly next: number;
}

export interface FollowOptions {
  readonly log: CertificateLog;
  /** Where the last round ended. */
  readonly position: LogPosition | undefined;
  /** Where the first round begins. */
  readonly from: "now" | number;
  readonly now: number;
  /** Called in order. When it throws, the next round begins with these entries again. */
  readonly onEntries: (entries: readonly LogEntry[], position: LogPosition) => Promise<void>;
}

/** Throws `evidence-rejected` when the log shows what cannot be, and other errors when it cannot be read. */
export async function followLog(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { log, position, from, now, onEntries } = options;
  const head = await log.fetchHead(signal);
  refuseOld(log, head, position?.head, now);
  const tree = await log.openTree(head, signal);
  if (position && !(await tree.extends(position.head, signal)))
    throw new AppError(
      "evidence-rejected",
      `The log has another history than before: its ${head.size} entries do not begin with the ${position.head.size} of the head seen last.`,
    );
  let next = position?.next ?? (from === "now" ? head.size : from);
  if (next > head.size)
    throw new AppError("bad-request", `The log has ${head.size} entries; it cannot be read from ${next} on.`);
  if (next === head.size) await onEntries([], { head, next });
  while (next < head.size) {
    const entries = await tree.readEntries(next, signal);
    next += entries.length;
    await onEntries(entries, { head, next });
  }
}

function refuseOld(log: CertificateLog, head: TreeHead, last: TreeHead | undefined, now: number): void {
  const ageMs = now - head.timestamp;
  if (log.signed && ageMs > maxHeadAgeMs)
    throw new AppError(
      "upstream-unavailable",
      `The log's head is ${Math.floor(ageMs / 3_600_000)} hours old: it stands still, or an old one is shown.`,
    );
  if (last && head.size < last.size)
    throw new AppError(
      "upstream-unavailable",
      `The log shows a head of ${head.size} entries, and had ${last.size} before.`,
    );
}

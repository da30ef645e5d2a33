import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ReceiptBook } from "../../../../tee-bot/gateway/receipts/receipt-book.ts";
import type { DraftedReceipt } from "../../../../tee-bot/gateway/receipts/receipt-draft.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { recordingLog } from "../../support/log.ts";

const dayMs = 86_400_000;

function receipt(id: string, chat: string | null = null, session?: string): DraftedReceipt {
  return {
    session: session === undefined ? undefined : { id: session, document: { name: session } },
    document: {
      api_version: "aci/1",
      receipt_id: id,
      chat_id: chat,
      model: "m",
      workload_keyset_digest: "sha256:00",
      endpoint: "/v1/chat/completions",
      method: "POST",
      served_at: 1,
      event_log: [],
      key_id: "receipt-1",
    },
  };
}

const idsOf = (book: ReceiptBook, name: string): string[] => book.find(name).map(({ document }) => document.receipt_id);

describe("a book of receipts", () => {
  it("keeps them, and the sessions that they cite, over a restart", () => {
    using folder = temporaryFolder();
    const options = { path: join(folder.path, "receipts.sqlite"), clock: clockAt(() => 1_000), log: recordingLog() };
    {
      using book = new ReceiptBook(options);
      book.add(receipt("a", "chat-1", "s1"), "alice");
      book.add(receipt("b", "chat-1"), undefined);
    }
    using book = new ReceiptBook(options);
    expect(book.find("a")).toEqual([{ key: "alice", document: receipt("a", "chat-1").document }]);
    expect(idsOf(book, "chat-1")).toEqual(["b", "a"]);
    expect(book.session("s1")).toBe('{"name":"s1"}');
    expect(book.session("s2")).toBeUndefined();
  });

  it("forgets them after a week", () => {
    using folder = temporaryFolder();
    let now = 1_000;
    using book = new ReceiptBook({
      path: join(folder.path, "r.sqlite"),
      clock: clockAt(() => now),
      log: recordingLog(),
    });
    book.add(receipt("old"), undefined);
    expect(idsOf(book, "old")).toEqual(["old"]);
    now += 8 * dayMs;
    book.add(receipt("new"), undefined);
    expect(idsOf(book, "new")).toEqual(["new"]);
    expect(idsOf(book, "old")).toEqual([]);
  });

  it("never has a receipt without the session that it cites", () => {
    using folder = temporaryFolder();
    using book = new ReceiptBook({ path: join(folder.path, "r.sqlite"), clock: clockAt(() => 1), log: recordingLog() });
    for (let at = 0; at < 300; at++) book.add(receipt(`r${at}`, null, `s${at}`), undefined);
    const kept = Array.from({ length: 300 }, (_, at) => at).filter((at) => idsOf(book, `r${at}`).length > 0);
    expect(kept.length).toBe(256);
    expect(kept.every((at) => book.session(`s${at}`) !== undefined)).toBe(true);
    expect(book.session("s0")).toBeUndefined();
  });
});

function clockAt(now: () => number) {
  return { now, sleep: () => Promise.reject(new Error("nobody sleeps here")) };
}

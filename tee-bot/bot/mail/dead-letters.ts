import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { maxDeadLetters } from "./limits.ts";
import type { MailFile } from "./mail-file.ts";
import type { DeadLetter } from "./mailbox.ts";

/** What was given up, without its content. */
export class DeadLetters {
  readonly #file: MailFile;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(file: MailFile, clock: Clock, log: Log) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
  }

  /** Within a change. */
  add(what: DeadLetter["what"], id: number, why: DeadLetter["why"], reason: string): void {
    const file = this.#file;
    file.statement("INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?, ?)").run(what, id, why, this.#clock.now(), reason);
    file
      .statement(
        "DELETE FROM dead WHERE rowid IN (SELECT rowid FROM dead ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET ?)",
      )
      .run(maxDeadLetters);
    this.#log.warn(`${what}.given-up`, { id, why, reason });
  }

  count(): { undecidable: number; dead: number } {
    const counts = "count(*) FILTER (WHERE why = 'undecidable') AS undecidable, count(*) AS total";
    const row = this.#file.statement(`SELECT ${counts} FROM dead`).get();
    const undecidable = Number(row?.["undecidable"]);
    return { undecidable, dead: Number(row?.["total"]) - undecidable };
  }

  /** Newest first. */
  list(atMost: number): DeadLetter[] {
    const file = this.#file;
    return file.run(
      () =>
        file
          .statement("SELECT id, what, why, at, reason FROM dead ORDER BY at DESC, rowid DESC LIMIT ?")
          .all(atMost) as unknown as DeadLetter[],
    );
  }
}

/**
 * A bot's worker that can be killed at any moment. Arguments: folder, storage key (hex), how many messages, when the first was sent. What it has taken and
 * what it has sent it writes to two files, as the REST server and Signal would know it; it exits when all is done.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../../shared/clock.ts";
import { silentLog } from "../../../../shared/log.ts";
import type { MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import { openMailbox } from "../../../../tee-bot/bot/mail/open-mailbox.ts";
import { messageOf, replyTo } from "./events.ts";

const [folder = "", key = "", count = "", firstAt = ""] = process.argv.slice(2);
const chats = 5;
/** Signal takes some time to answer, in which most kills fall. */
const answerMs = 2;
const nothing = new Int32Array(new SharedArrayBuffer(4));
/** Deliveries that are repeated after a start. */
const repeated = 3;

const common = { clock: systemClock, log: silentLog, maxAgeMs: 3_600_000 };
const box = openMailbox({
  path: join(folder, "mail.sqlite"),
  storageKey: Buffer.from(key, "hex"),
  maxAttempts: 1_000,
  ...common,
});
const takenFile = join(folder, "taken");
const taken = existsSync(takenFile) ? readFileSync(takenFile, "utf8").split("\n").length - 1 : 0;
let next = Math.max(0, taken - repeated);

for (;;) {
  if (next < Number(count)) put(next++);
  for (const mail of box.take(2)) {
    const text = (mail.event as MessageEvent).text.reveal();
    box.answer(mail, [replyTo(mail.event.chat, `${text} a`), replyTo(mail.event.chat, `${text} b`)]);
  }
  for (const reply of box.replies(3)) {
    box.sending(reply);
    appendFileSync(join(folder, "sent"), `${reply.plain.reveal()}\n`);
    Atomics.wait(nothing, 0, 0, answerMs);
    box.sent(reply, Date.now());
  }
  const { waiting, replies } = box.state();
  if (next >= Number(count) && waiting + replies === 0) break;
}
box[Symbol.dispose]();

function put(number: number): void {
  const person = `aaaaaaaa-0000-4000-8000-00000000000${number % chats}`;
  const outcome = box.put({ ...messageOf(person, 0, String(number)), timestamp: Number(firstAt) + number });
  if (number < taken && outcome === "new") appendFileSync(join(folder, "sent"), `${number} was forgotten\n`);
  if (number >= taken) appendFileSync(takenFile, "\n");
}

/**
 * What Signal's servers hold for the bot's account. signal-cli takes a message and acknowledges it as soon as it has written the
 * line; from then on nobody has it but whoever reads that line, and what becomes of it is noted here for tests.
 */
import type { StateFile, Table } from "../state-file.ts";
import type { Envelope } from "./envelopes.ts";
import type { SeenAttachment } from "./seen-message.ts";

export interface Mail {
  /** Rises with each. */
  readonly id: string;
  readonly from: string;
  readonly timestamp: number;
  /** What is emitted, as a person has sent it, or the text of a line that is emitted as it is. */
  readonly content: { readonly envelope: Envelope } | { readonly line: string };
  /** What signal-cli downloads with it. */
  readonly attachments: readonly SeenAttachment[];
  /** Of a message in a conversation: what the sender's telephone then shows as delivered. */
  readonly conversation?: string;
}

/** A message that Signal counts as delivered, and that nobody took. */
export interface LostMail {
  readonly from: string;
  readonly timestamp: number;
  /** The field of its envelope that says something: `dataMessage`, `receiptMessage`… */
  readonly kind: string;
  readonly why: string;
  /** The webhook had been called and had not answered yet. */
  readonly mayHaveArrived: boolean;
}

const idDigits = 12;
const maxWaiting = 100_000;

export class Mailbox {
  readonly #waiting: Table<Mail>;
  readonly #emitted: Table<Mail>;
  readonly #lost: Table<LostMail>;
  #nextId: number;
  #wake: (() => void)[] = [];

  constructor(state: StateFile) {
    this.#waiting = state.table("waiting");
    this.#emitted = state.table("emitted");
    this.#lost = state.table("lost");
    const lastIds = [this.#waiting, this.#emitted, this.#lost].map(({ values }) =>
      Number([...values.keys()].at(-1) ?? 0),
    );
    this.#nextId = Math.max(...lastIds) + 1;
    this.loseEmitted();
  }

  get waiting(): number {
    return this.#waiting.values.size;
  }

  get lost(): LostMail[] {
    return [...this.#lost.values.values()];
  }

  post(mail: Omit<Mail, "id">): void {
    if (this.waiting >= maxWaiting) return; // Signal's own queues have an end too
    const id = String(this.#nextId++).padStart(idDigits, "0");
    this.#waiting.put(id, { id, ...mail });
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** The oldest, or the one after it. From now on it is acknowledged. */
  take({ outOfOrder = false } = {}): Mail | undefined {
    const waiting = this.#waiting.values.values();
    const [first, second] = [waiting.next().value, outOfOrder ? waiting.next().value : undefined];
    const mail = second ?? first;
    if (!mail) return undefined;
    this.#emitted.put(mail.id, mail);
    this.#waiting.delete(mail.id);
    return mail;
  }

  /** Resolves when there is something to take. */
  async untilWaiting(signal: AbortSignal): Promise<void> {
    if (this.waiting > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake.push(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** It is in somebody's hands. */
  settle(id: string): void {
    this.#emitted.delete(id);
    this.#lost.delete(id);
  }

  lose(id: string, why: string, mayHaveArrived = false): void {
    const mail = this.#emitted.values.get(id);
    if (!mail) return; // a duplicate of it was taken
    this.#lost.put(id, { from: mail.from, timestamp: mail.timestamp, kind: kindOf(mail), why, mayHaveArrived });
    this.#emitted.delete(id);
  }

  /** After a crash. Lines are posted one after another, so only the oldest can be under way. */
  loseEmitted(): void {
    for (const [index, id] of [...this.#emitted.values.keys()].toSorted().entries())
      this.lose(id, "the server crashed before its webhook was answered", index === 0);
  }
}

function kindOf({ content }: Mail): string {
  const fields = "line" in content ? content.line.match(/"\w+Message(?=":)/g) : Object.keys(content.envelope);
  return fields?.map((field) => field.replace('"', "")).find((field) => field.endsWith("Message")) ?? "none";
}

/** What a conversation remembers, and how it changes: rules only. Every function gives a new history. */

export interface History {
  readonly messages: readonly HistoryMessage[];
}

export interface HistoryMessage {
  readonly role: "user" | "assistant";
  /** Who said it, or who was answered: an id that does not change, never shown to the model. */
  readonly person: string;
  /** The same for each message of one person, as long as any is remembered: 1, 2, 3… */
  readonly member: number;
  readonly content: string;
  /** When it was sent, by the sender's clock, and when it was edited: later edits and deletions name any of these. */
  readonly timestamps: readonly number[];
  /** Milliseconds since the Unix epoch, by our clock. */
  readonly expiresAt: number;
}

export interface NewMessage {
  readonly role: HistoryMessage["role"];
  readonly person: string;
  readonly content: string;
  readonly timestamp: number;
  /** The timer for disappearing messages, where one is set. */
  readonly expiresInSeconds?: number | undefined;
  /** To be looked at once: nothing of it is kept. */
  readonly isViewOnce?: boolean | undefined;
}

/** Names one message; nobody can name another person's. */
export interface MessageName {
  readonly role: HistoryMessage["role"];
  readonly person: string;
  readonly timestamp: number;
}

export interface HistoryLimits {
  readonly maxMessages: number;
  readonly ttlMs: number;
}

export const usualHistoryLimits: HistoryLimits = { maxMessages: 50, ttlMs: 24 * 60 * 60 * 1000 };
export const emptyHistory: History = { messages: [] };

/** The longest text that Signal carries. */
export const maxMessageBytes = 64 * 1024;
/** Of all messages together; JSON makes at most six times as much of it. */
export const maxHistoryBytes = 512 * 1024;
/** As many as Signal allows. */
const maxEdits = 10;

/** The same history where the message is known already (deliveries repeat) or not to be kept. */
export function appendMessage(history: History, message: NewMessage, limits: HistoryLimits, now: number): History {
  const { role, person, content, timestamp, expiresInSeconds } = message;
  if (message.isViewOnce || findMessage(history, message) !== -1) return history;
  const lifeMs = expiresInSeconds ? Math.min(limits.ttlMs, expiresInSeconds * 1000) : limits.ttlMs;
  const member = decideMember(history, person);
  const added = { role, person, member, content, timestamps: [timestamp], expiresAt: now + lifeMs };
  return trimHistory({ messages: [...history.messages, added] }, limits, now);
}

/**
 * Without what is too old, and the oldest of what is too many or too much; the same history where nothing is. The TTL holds
 * also for what was stored under a longer one.
 */
export function trimHistory(history: History, { maxMessages, ttlMs }: HistoryLimits, now: number): History {
  const latest = now + ttlMs;
  const alive = history.messages
    .filter(({ expiresAt }) => expiresAt > now)
    .map((one) => endingBy(one, latest))
    .slice(-maxMessages);
  const messages = newestWithin(alive, maxHistoryBytes);
  const isSame = messages.length === history.messages.length && messages.every((one, i) => one === history.messages[i]);
  return isSame ? history : { messages };
}

/** The same history where there are no more than `keep`. */
export function keepNewest(history: History, keep: number): History {
  const excess = history.messages.length - Math.max(0, keep);
  return excess > 0 ? { messages: history.messages.slice(excess) } : history;
}

/** The same history where there is no such message. An edit does not lengthen a message's life. */
export function editMessage(
  history: History,
  name: MessageName,
  { content, editedAt }: { content: string; editedAt: number },
): History {
  const index = findMessage(history, name);
  const found = history.messages[index];
  if (!found || found.timestamps.includes(editedAt) || found.timestamps.length > maxEdits) return history;
  const edited = { ...found, content, timestamps: [...found.timestamps, editedAt] };
  return { messages: history.messages.with(index, edited) };
}

/** The same history where there is no such message. */
export function deleteMessage(history: History, name: MessageName): History {
  const index = findMessage(history, name);
  return index === -1 ? history : { messages: history.messages.toSpliced(index, 1) };
}

/** Without a question and its answer, which bears the question's time; the same history where there is neither. */
export function deleteExchange(history: History, question: Omit<MessageName, "role">): History {
  const asked = history.messages[findMessage(history, { ...question, role: "user" })];
  const times = asked?.timestamps ?? [question.timestamp];
  const messages = history.messages.filter(
    ({ person, timestamps }) => person !== question.person || !timestamps.some((one) => times.includes(one)),
  );
  return messages.length === history.messages.length ? history : { messages };
}

/** With a question and its answer at the end, once, however often this is done. */
export function appendExchange(
  history: History,
  question: Omit<NewMessage, "role">,
  answer: string,
  limits: HistoryLimits,
  now: number,
): History {
  const asked = appendQuestion(history, question, limits, now);
  return appendMessage(asked, { ...question, role: "assistant", content: answer }, limits, now);
}

/** What a model is asked with: the question comes last, and nothing of an earlier answer to it. */
export function appendQuestion(
  history: History,
  question: Omit<NewMessage, "role">,
  limits: HistoryLimits,
  now: number,
): History {
  return appendMessage(deleteExchange(history, question), { ...question, role: "user" }, limits, now);
}

/** Without what a person said and was answered; the same history where there is nothing of it. */
export function forgetPerson(history: History, person: string): History {
  const messages = history.messages.filter((one) => one.person !== person);
  return messages.length === history.messages.length ? history : { messages };
}

function endingBy(message: HistoryMessage, latest: number): HistoryMessage {
  return message.expiresAt > latest ? { ...message, expiresAt: latest } : message;
}

function newestWithin(messages: readonly HistoryMessage[], maxBytes: number): readonly HistoryMessage[] {
  let bytes = 0;
  const last = messages.findLastIndex(({ content }) => (bytes += Buffer.byteLength(content)) > maxBytes);
  return messages.slice(last + 1);
}

function findMessage({ messages }: History, { role, person, timestamp }: MessageName): number {
  return messages.findIndex((one) => one.role === role && one.person === person && one.timestamps.includes(timestamp));
}

function decideMember({ messages }: History, person: string): number {
  const known = messages.find((one) => one.person === person);
  return known?.member ?? Math.max(0, ...messages.map(({ member }) => member)) + 1;
}

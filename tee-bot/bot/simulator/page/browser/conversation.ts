/** One person's conversation with the bot, through the people API. */

export interface SeenMessage {
  /** `you`, `bot`, or the name of another member of the group. */
  readonly from: string;
  readonly timestamp: number;
  readonly text: string;
  readonly styles: readonly string[];
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly quote: { readonly timestamp: number; readonly author: string; readonly text: string | null } | null;
  readonly attachments: readonly SeenAttachment[];
  readonly reactions: readonly { readonly from: string; readonly emoji: string }[];
  /** What the other side has told of it. */
  readonly delivered: boolean;
  readonly read: boolean;
}

export interface SeenAttachment {
  readonly id: string;
  readonly contentType: string;
  readonly filename: string | null;
  readonly size: number;
}

export interface Conversation {
  readonly messages: readonly SeenMessage[];
  readonly typing: boolean;
}

export interface Draft {
  readonly text: string;
  /** Timestamp of the message that it replies to. */
  readonly quote?: number;
  readonly attachments?: readonly {
    readonly filename: string;
    readonly contentType: string;
    readonly base64: string;
  }[];
}

/** Whose telephone this is, and where: `?from=anna&group=club`; else "you", with the bot alone. */
const asked = new URLSearchParams(location.search);
const group = asked.get("group");
const place = { from: asked.get("from") ?? "you", ...(group !== null && { group }) };
const query = `?${new URLSearchParams(place).toString()}`;
const timeoutMs = 10_000;

export async function readConversation(): Promise<Conversation> {
  const response = await fetch(`/messages${query}`, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`The simulator answered ${response.status}.`);
  return (await response.json()) as Conversation;
}

/** Throws with words when it is not taken. */
export function send(draft: Draft): Promise<void> {
  return post("/messages", draft);
}

export function edit({ timestamp }: SeenMessage, text: string): Promise<void> {
  return post("/messages/edit", { timestamp, text });
}

export function takeBack({ timestamp }: SeenMessage): Promise<void> {
  return post("/messages/delete", { timestamp });
}

export function react({ timestamp }: SeenMessage, emoji: string): Promise<void> {
  return post("/messages/reaction", { timestamp, emoji });
}

/** Tells the bot that all there is was read. */
export function markRead(): Promise<void> {
  return post("/messages/read", {});
}

async function post(path: string, body: object): Promise<void> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...place, ...body }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.ok) return;
  const problem = (await response.json().catch(() => undefined)) as { detail?: string } | undefined;
  throw new Error(`Not sent: ${problem?.detail ?? `the simulator answered ${response.status}.`}`);
}

export function addressOf({ id }: SeenAttachment): string {
  return `/messages/attachments/${encodeURIComponent(id)}`;
}

/** Tells of each change, and whether the simulator is there; the browser connects again by itself. */
export function watch({ onChange, onLink }: { onChange: () => void; onLink: (isUp: boolean) => void }): void {
  const events = new EventSource(`/messages/events${query}`);
  events.addEventListener("open", () => {
    onLink(true);
    onChange(); // what came while nobody listened
  });
  events.addEventListener("error", () => onLink(false));
  for (const kind of ["message", "typing", "timer"]) events.addEventListener(kind, onChange);
}

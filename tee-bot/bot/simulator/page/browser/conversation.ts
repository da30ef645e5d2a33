/** One person's conversation with the bot, through the people API. */

export interface SeenMessage {
  /** `bot`, or the name of a person. */
  readonly from: string;
  readonly timestamp: number;
  readonly text: string;
  readonly styles: readonly string[];
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly quote: { readonly timestamp: number; readonly author: string; readonly text: string | null } | null;
  readonly attachments: readonly SeenAttachment[];
  readonly reactions?: readonly { readonly from: string; readonly emoji: string }[];
  /** What the bot has told of it. */
  readonly delivered?: boolean;
  readonly read?: boolean;
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

/** Whose telephone this is: `?from=anna`, else "you". */
const person = new URLSearchParams(location.search).get("from") ?? "you";
const query = `?from=${encodeURIComponent(person)}`;
const timeoutMs = 10_000;

export async function readConversation(): Promise<Conversation> {
  const response = await fetch(`/messages${query}`, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`The simulator answered ${response.status}.`);
  return (await response.json()) as Conversation;
}

/** Throws with words when it is not taken. */
export async function send(draft: Draft): Promise<void> {
  const response = await fetch("/messages", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ from: person, ...draft }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.ok) return;
  const problem = (await response.json().catch(() => undefined)) as { error?: string; detail?: string } | undefined;
  throw new Error(`Not sent: ${problem?.detail ?? problem?.error ?? `the simulator answered ${response.status}.`}`);
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
  events.addEventListener("message", onChange);
}

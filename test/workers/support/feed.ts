import { expect } from "vitest";
import { send, signedRequest } from "./edge.ts";
import type { TestIdentity } from "./identities.ts";
import { feedMessageSchema, type FeedMessage } from "../../../shared/registry/feed.ts";
import type { Route } from "../../../shared/registry/messages.ts";

/** A relay's feed, and the routes it adds up to. */
export class TestFeed {
  readonly socket: WebSocket;
  readonly messages: FeedMessage[] = [];
  readonly texts: string[] = [];
  readonly routes = new Map<string, Route>();
  cursor = "";
  closeCode: number | undefined;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.texts.push(String(data));
      if (String(data).startsWith("{")) this.#take(feedMessageSchema.parse(JSON.parse(String(data))));
      this.#wake();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closeCode = code;
      this.#wake();
    });
    socket.accept();
  }

  /** Resolves as soon as the condition holds. */
  async until(condition: (feed: this) => boolean): Promise<void> {
    const deadline = setTimeout(() => this.#wake(), 5_000);
    const giveUpAt = Date.now() + 4_900;
    while (!condition(this)) {
      expect(Date.now(), `the feed did not come to: ${String(condition)}`).toBeLessThan(giveUpAt);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    clearTimeout(deadline);
  }

  #take(message: FeedMessage): void {
    this.messages.push(message);
    if (message.type === "snapshot" && message.first) this.routes.clear();
    for (const change of message.type === "snapshot" ? message.routes : message.changes)
      if (change.node === null) this.routes.delete(change.name);
      else this.routes.set(change.name, change);
    this.cursor = message.cursor;
  }
}

export async function openFeed(relay: TestIdentity, since?: string): Promise<TestFeed> {
  const response = await send(await feedRequest(relay, since));
  if (!response.webSocket) throw new Error(`no feed: ${response.status} ${await response.text()}`);
  const feed = new TestFeed(response.webSocket);
  await feed.until(({ messages }) => messages.length > 0);
  return feed;
}

export function feedRequest(relay: TestIdentity, since?: string): Promise<Request> {
  const query = since === undefined ? "" : `?since=${encodeURIComponent(since)}`;
  return signedRequest(relay, {
    method: "GET",
    path: `/v1/relays/${relay.id}/feed${query}`,
    role: "postern-relay",
    headers: { upgrade: "websocket" },
  });
}

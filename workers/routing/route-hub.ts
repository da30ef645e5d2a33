import { DurableObject } from "cloudflare:workers";
import { formatCursor } from "./cursor.ts";
import { catchUp } from "./feed.ts";
import type { Publication } from "./publication.ts";
import { RouteStore } from "./route-store.ts";
import { readConfig } from "../config.ts";
import type { Env } from "../env.ts";
import { edgeLog } from "../edge-log.ts";
import { liveParts, type Parts } from "../parts.ts";
import { Nonces } from "../storage/nonces.ts";
import { errorText, type Result } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { feedPing, feedPong, type FeedMessage, type RouteChange } from "../../shared/registry/feed.ts";
import type { Route } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** How long a relay may be away and still be told of removals one by one. */
export const tombstoneMs = 60 * 60_000;

/** Close code: the same relay has opened another feed. */
export const feedReplaced = 4001;
const notUnderstood = 1003;
const unsent = 1011;

/**
 * One shard of the name space: which alias belongs to which key, which name leads to which node now, and the
 * feeds of the relays that are told of every change. Feeds sleep with the object and survive it.
 */
export class RouteHub extends DurableObject<Env> {
  readonly #parts: Parts;
  readonly #store: RouteStore;
  readonly #nonces: Nonces;
  readonly #zone: string;
  readonly #log: Log;

  constructor(ctx: DurableObjectState, env: Env, parts: Parts = liveParts) {
    super(ctx, env);
    this.#parts = parts;
    this.#store = new RouteStore(ctx.storage.sql);
    this.#nonces = new Nonces(ctx.storage.sql);
    const read = readConfig(env);
    this.#zone = read.ok ? read.config.zone : "";
    this.#log = edgeLog(read.ok ? read.config.logLevel : "info", parts.clock);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(feedPing, feedPong));
  }

  claimAlias({ alias, owner, revision }: { alias: string; owner: NodeId; revision: number }): Result<null> {
    return this.#store.claim(alias, owner, revision);
  }

  async releaseAlias(release: { alias: string; hostname: string; owner: NodeId; revision: number }): Promise<void> {
    const { alias, hostname, owner, revision } = release;
    await this.#announce(this.#store.release(alias, hostname, owner, revision, this.#parts.clock.now()));
  }

  /** May come twice, late and out of order: only a newer one than the last has an effect. */
  async publish(publication: Publication): Promise<void> {
    const changes = this.ctx.storage.transactionSync(() =>
      this.#store.publish(publication, this.#zone, this.#parts.clock.now()),
    );
    await this.#announce(changes);
  }

  lookup(name: string): Route | null {
    return this.#store.lookup(name) ?? null;
  }

  async rememberNonce(seen: { relay: NodeId; nonce: string; expiresAt: number }): Promise<Result<null>> {
    const remembered = this.#nonces.remember({ ...seen, signer: seen.relay }, this.#parts.clock.now());
    await this.#setAlarm();
    return remembered;
  }

  /** The upgrade of a feed; the caller has checked that it is the relay's. */
  override fetch(request: Request): Response {
    const { searchParams } = new URL(request.url);
    const relay = searchParams.get("relay") ?? "";
    for (const older of this.ctx.getWebSockets(relay)) older.close(feedReplaced, "this relay has connected again");
    const [theirs, ours] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
    this.ctx.acceptWebSocket(ours, [relay]);
    let messages = 0;
    for (const message of catchUp(this.#store, searchParams.get("since") ?? undefined)) {
      ours.send(JSON.stringify(message));
      messages++;
    }
    this.#log.info("feed.opened", { relay, messages });
    return new Response(null, { status: 101, webSocket: theirs });
  }

  override webSocketMessage(socket: WebSocket): void {
    socket.close(notUnderstood, "a feed is only listened to");
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#log.info("feed.closed", { relay: this.ctx.getTags(socket)[0], code });
    socket.close();
  }

  override webSocketError(socket: WebSocket): void {
    this.#log.info("feed.broken", { relay: this.ctx.getTags(socket)[0] });
  }

  override async alarm(): Promise<void> {
    const now = this.#parts.clock.now();
    this.#nonces.forget(now);
    this.#store.sweep(now - tombstoneMs);
    await this.#setAlarm();
  }

  async #announce(changes: RouteChange[]): Promise<void> {
    if (changes.length === 0) return;
    const message: FeedMessage = { type: "delta", cursor: formatCursor(this.#store.horizon()), changes };
    const text = JSON.stringify(message);
    for (const socket of this.ctx.getWebSockets()) this.#send(socket, text);
    await this.#setAlarm();
  }

  /** A feed that misses a message has to end: its relay comes back and catches up. The others must not notice. */
  #send(socket: WebSocket, text: string): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    try {
      socket.send(text);
    } catch (error) {
      this.#log.warn("feed.failed", { relay: this.ctx.getTags(socket)[0], error: errorText(error) });
      socket.close(unsent, "a change could not be sent");
    }
  }

  async #setAlarm(): Promise<void> {
    const removal = this.#store.oldestRemoval();
    const due = [removal === undefined ? undefined : removal + tombstoneMs, this.#nonces.lastExpiry()];
    const next = due.filter((at) => at !== undefined);
    if (next.length > 0) await this.ctx.storage.setAlarm(Math.min(...next));
  }
}

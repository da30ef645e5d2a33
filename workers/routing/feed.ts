/** What a relay is sent when it connects, as messages of bounded size. */
import { decideResume, formatCursor } from "./cursor.ts";
import type { RouteStore } from "./route-store.ts";
import { maxRoutesPerMessage, type FeedMessage, type RouteChange } from "../../shared/registry/feed.ts";
import type { Route } from "../../shared/registry/messages.ts";

/** What changed since the relay's cursor, or everything when the hub cannot tell. */
export function* catchUp(store: RouteStore, since: string | undefined): Generator<FeedMessage> {
  const version = decideResume(since, store.horizon());
  yield* version === undefined ? snapshot(store) : changes(store, version);
}

function* snapshot(store: RouteStore): Generator<FeedMessage> {
  const cursor = formatCursor(store.horizon());
  let first = true;
  let routes: Route[] = [];
  for (const route of store.live()) {
    if (routes.length === maxRoutesPerMessage) {
      yield { type: "snapshot", cursor, routes, first, last: false };
      first = false;
      routes = [];
    }
    routes.push(route);
  }
  yield { type: "snapshot", cursor, routes, first, last: true };
}

/** At least one message, so that the relay knows it is up to date. */
function* changes(store: RouteStore, after: number): Generator<FeedMessage> {
  const { generation, version: current } = store.horizon();
  let part: RouteChange[] = [];
  let partVersion = after;
  for (const { version, change } of store.changesAfter(after)) {
    if (part.length === maxRoutesPerMessage) {
      yield { type: "delta", cursor: formatCursor({ generation, version: partVersion }), changes: part };
      part = [];
    }
    part.push(change);
    partVersion = version;
  }
  yield { type: "delta", cursor: formatCursor({ generation, version: current }), changes: part };
}

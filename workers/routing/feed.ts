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
  let weight = 0;
  for (const route of store.live()) {
    if (weight >= maxRoutesPerMessage) {
      yield { type: "snapshot", cursor, routes, first, last: false };
      first = false;
      routes = [];
      weight = 0;
    }
    routes.push(route);
    weight += weightOf(route);
  }
  yield { type: "snapshot", cursor, routes, first, last: true };
}

/** At least one message, so that the relay knows it is up to date. */
function* changes(store: RouteStore, after: number): Generator<FeedMessage> {
  const { generation, version: current } = store.horizon();
  let part: RouteChange[] = [];
  let partVersion = after;
  let weight = 0;
  for (const { version, change } of store.changesAfter(after)) {
    if (weight >= maxRoutesPerMessage) {
      yield { type: "delta", cursor: formatCursor({ generation, version: partVersion }), changes: part };
      part = [];
      weight = 0;
    }
    part.push(change);
    weight += weightOf(change);
    partVersion = version;
  }
  yield { type: "delta", cursor: formatCursor({ generation, version: current }), changes: part };
}

const bytesOfRoute = 125;

/** As how many routes without rules, relays and key it counts for the size of a message: rules may be longer than 30. */
function weightOf(change: RouteChange): number {
  if (change.node === null) return 1;
  const rules = change.rules ? JSON.stringify(change.rules).length : 0;
  const relays = change.relays ? JSON.stringify(change.relays).length : 0;
  return 1 + (rules + relays + (change.key?.length ?? 0)) / bytesOfRoute;
}

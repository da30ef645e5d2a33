/** What an operator sees of those who come to a relay; no label ever holds a name or an address. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { Tally } from "./tally.ts";

/** From a probe to a day of events. */
const visitBuckets = [0.01, 0.1, 1, 10, 60, 600, 3_600, 6 * 3_600, 86_400];
const pairingBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What is counted by others and only read here, when somebody asks. */
export interface RelayState {
  connections: number;
  pendingHellos: number;
  visitors: number;
  tunnels: number;
  poolIdle: number;
  /** Visitors forwarded to other relays and by them, and the other relays that connections are open to. */
  forwarded: { out: number; in: number };
  peers: number;
  /** Bytes of visitors still here. */
  bytes: { received: number; sent: number };
}

export class RelayMetrics {
  readonly registry = new Registry();
  readonly #left = new Tally(this.#named("visitors_total", "Visitors that were served"), "ended");
  readonly #refused = new Tally(this.#named("refused_total", "Connections that were not served"), "reason");
  readonly #tunnelsEnded = new Tally(this.#named("tunnels_total", "Tunnels that have ended"), "ended");
  readonly #pairing = new Histogram({
    ...this.#named("pairing_seconds", "From the ClientHello to the first byte of the node"),
    buckets: pairingBuckets,
  });
  readonly #visit = new Histogram({
    ...this.#named("visit_seconds", "How long visitors were joined to their node"),
    buckets: visitBuckets,
  });
  readonly #handshakes = new Tally(
    this.#named("handshakes_total", "First bytes of connections, and TLS handshakes of nodes"),
    "outcome",
  );
  readonly #lookups = new Tally(this.#named("lookups_total", "Names that were asked for at the edge"), "outcome");
  readonly #pool = new Tally(
    this.#named("pool_total", "Visitors that found a connection to their node waiting, and that did not"),
    "found",
  );
  readonly #forwarded = new Counter({
    ...this.#named("forwarded_total", "Visitors that were forwarded to other relays (out), and by them (in)"),
    labelNames: ["direction", "outcome"],
  });
  #received = 0;
  #sent = 0;

  constructor(state: () => RelayState) {
    const gauge = (name: string, help: string, read: (now: RelayState) => number): void => {
      const metric: Gauge = new Gauge({ ...this.#named(name, help), collect: () => metric.set(read(state())) });
    };
    gauge("connections", "Open connections of every kind", (now) => now.connections);
    gauge("pending_hellos", "Connections that have not said what they want", (now) => now.pendingHellos);
    gauge("visitors", "Visitors that are here", (now) => now.visitors);
    gauge("tunnels", "Tunnels that take visitors", (now) => now.tunnels);
    gauge("pool_idle", "Connections to nodes that wait for a visitor", (now) => now.poolIdle);
    gauge("peers", "Other relays that connections are open to", (now) => now.peers);
    const forwarded: Gauge = new Gauge({
      ...this.#named("forwarded", "Visitors that are forwarded to other relays (out), and by them (in)"),
      labelNames: ["direction"],
      collect: () => {
        const now = state().forwarded;
        forwarded.set({ direction: "out" }, now.out);
        forwarded.set({ direction: "in" }, now.in);
      },
    });
    const bytes: Counter = new Counter({
      ...this.#named("bytes_total", "Bytes of visitors, as they are encrypted"),
      labelNames: ["direction"],
      collect: () => {
        const running = state().bytes;
        bytes.reset();
        bytes.inc({ direction: "received" }, this.#received + running.received);
        bytes.inc({ direction: "sent" }, this.#sent + running.sent);
      },
    });
  }

  paired(seconds: number): void {
    this.#pairing.observe(seconds);
  }

  left(ended: string, seconds: number): void {
    this.#left.add(ended);
    this.#visit.observe(seconds);
  }

  refused(reason: string): void {
    this.#refused.add(reason);
  }

  /** Whether a visitor found a connection that waited for it. */
  pool(found: "hit" | "miss"): void {
    this.#pool.add(found);
  }

  handshake(outcome: string): void {
    this.#handshakes.add(outcome);
  }

  forwarded(direction: "in" | "out", outcome: string): void {
    this.#forwarded.inc({ direction, outcome });
  }

  lookup(outcome: string): void {
    this.#lookups.add(outcome);
  }

  tunnelEnded(ended: string): void {
    this.#tunnelsEnded.add(ended);
  }

  /** The bytes of a visitor that has left. */
  moved({ received, sent }: { received: number; sent: number }): void {
    this.#received += received;
    this.#sent += sent;
  }

  #named(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    return { name: `postern_relay_${name}`, help, registers: [this.registry] };
  }
}

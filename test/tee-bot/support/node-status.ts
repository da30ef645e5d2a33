import type { NodeStatus } from "../../../tee-bot/control/status.ts";

/** The status of a node that has just begun, with these changes. */
export function nodeStatus(changes: Partial<NodeStatus> = {}): NodeStatus {
  return {
    node: "ab".repeat(32),
    version: "test",
    tee: "none",
    epoch: null,
    url: null,
    hostnames: [],
    target: "gateway",
    gateway: "http://127.0.0.1:1",
    relays: [],
    paths: [],
    visitors: 0,
    certificate: {
      state: "missing",
      words: "None has been issued yet.",
      issuer: null,
      notBefore: null,
      notAfter: null,
      renewal: null,
      trouble: null,
      last: null,
    },
    troubles: [],
    health: { status: "starting", hostnames: [], steps: [{ step: "identity", ok: true, detail: "." }] },
    ...changes,
  };
}

import { describe, expect, it } from "vitest";
import {
  agentSockets,
  decideAgentPlace,
  tappdSockets,
  type AgentPlace,
} from "../../../../tee-bot/attestation/dstack/agent-place.ts";
import type { TeeSetting } from "../../../../tee-bot/attestation/settings.ts";
import { refusalOf } from "../../../shared/refusal.ts";

interface Given {
  tee?: TeeSetting;
  socket?: string;
  endpoint?: string;
  there?: readonly string[];
}

function decide({ tee = "auto", socket, endpoint, there = [] }: Given): AgentPlace {
  const env = { DSTACK_SIMULATOR_ENDPOINT: endpoint };
  return decideAgentPlace(
    { tee, ...(socket !== undefined && { socket }) },
    { env, exists: (path) => there.includes(path) },
  );
}

describe("the place of the guest agent", () => {
  it.each(agentSockets)("is %s where that is there", (path) => {
    expect(decide({ there: [path] })).toEqual({ tee: "dstack", address: { socketPath: path }, api: "dstack" });
  });

  it("is the newer of two agents", () => {
    const there = [...tappdSockets, agentSockets[2]];
    expect(decide({ there })).toMatchObject({ address: { socketPath: agentSockets[2] }, api: "dstack" });
    expect(decide({ there: [...tappdSockets] })).toMatchObject({ api: "tappd" });
  });

  it("is nowhere on any other machine, and says where it was looked for", () => {
    const place = decide({});
    expect(place).toMatchObject({ tee: "none" });
    for (const path of agentSockets) expect(JSON.stringify(place)).toContain(path);
    expect(decide({ tee: "off", there: [agentSockets[0]] })).toMatchObject({ tee: "none" });
  });

  it("must be there when the settings name it, or say that there is a TEE", () => {
    expect(refusalOf(() => decide({ tee: "dstack" }))).toBe("tee-absent");
    expect(refusalOf(() => decide({ socket: "/other.sock" }))).toBe("tee-absent");
    expect(() => decide({ socket: "/other.sock", there: [agentSockets[0]] })).toThrow("no guest agent at /other.sock");
    expect(decide({ socket: "/other.sock", there: ["/other.sock"] })).toMatchObject({ tee: "dstack" });
  });

  it("is not taken from the environment, by which somebody could have the keys made elsewhere", () => {
    const endpoint = "/evil.sock";
    for (const tee of ["auto", "dstack"] as const)
      expect(() => decide({ tee, endpoint, there: [agentSockets[0], endpoint] })).toThrow(
        "DSTACK_SIMULATOR_ENDPOINT is set",
      );
    expect(decide({ tee: "off", endpoint })).toMatchObject({ tee: "none" });
    expect(decide({ endpoint: "", there: [agentSockets[0]] })).toMatchObject({ tee: "dstack" });
  });
});

describe("the place of a simulator", () => {
  it("is the socket of the settings, else what the environment says, and never the machine's own agent", () => {
    const there = [...agentSockets];
    expect(decide({ tee: "simulated", socket: "/s.sock", endpoint: "/e.sock", there })).toEqual({
      tee: "simulated",
      address: { socketPath: "/s.sock" },
      api: "dstack",
    });
    expect(decide({ tee: "simulated", endpoint: "/e.sock" })).toMatchObject({ address: { socketPath: "/e.sock" } });
    expect(decide({ tee: "simulated", endpoint: "/x/tappd.sock" })).toMatchObject({ api: "tappd" });
    expect(() => decide({ tee: "simulated", there })).toThrow("postern tee simulate");
  });

  it.each([
    ["http://127.0.0.1:8090", { host: "127.0.0.1", port: 8090 }],
    ["http://localhost", { host: "localhost", port: 80 }],
    ["http://[::1]:1", { host: "::1", port: 1 }],
  ])("may be a port of this machine: %s", (endpoint, address) => {
    expect(decide({ tee: "simulated", endpoint })).toMatchObject({ address });
  });

  it.each(["http://simulator.test:1", "https://127.0.0.1", "relative.sock", "unix:/s.sock"])(
    "is not %s",
    (endpoint) => {
      expect(refusalOf(() => decide({ tee: "simulated", endpoint }))).toBe("bad-request");
    },
  );
});

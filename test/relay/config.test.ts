import { describe, expect, test } from "vitest";
import { readConfig } from "../../relay/config.ts";

const required = {
  RELAY_EDGE_URL: "https://edge.example.com",
  RELAY_ZONE: "Nodes.Example.com",
  RELAY_IDENTITY_FILE: "relay.pem",
};

describe("relay config", () => {
  test("fills in what is not set", () => {
    const config = readConfig(required, 20_000);
    expect(config).toMatchObject({
      zone: "nodes.example.com",
      name: "relay.nodes.example.com",
      listen: { host: "::", port: 443 },
      private: { host: "127.0.0.1", port: 9090 },
      public: { host: "relay.nodes.example.com", port: undefined, addresses: undefined },
      logLevel: "info",
    });
    expect(config.limits).toMatchObject({ maxConnections: 19_000, maxVisitors: 7_600, idleMs: 900_000, pingMs: 2_000 });
  });

  test("reads a place", () => {
    expect(readConfig({ ...required, RELAY_PLACE: "52.5,13.4" }, 1_000).place).toEqual({
      latitude: 52.5,
      longitude: 13.4,
    });
  });

  test("reads the addresses of its visitors", () => {
    const read = readConfig({ ...required, RELAY_PUBLIC_ADDRESSES: "192.0.2.7, 2001:db8::7" }, 1_000);
    expect(read.public.addresses).toEqual(["192.0.2.7", "2001:db8::7"]);
  });

  test("takes an empty variable for one that is not set", () => {
    expect(readConfig({ ...required, RELAY_PLACE: "", RELAY_PORT: "" }, 1_000).listen.port).toBe(443);
  });

  test("names every mistake at once", () => {
    const wrong = {
      RELAY_EDGE_URL: "edge",
      RELAY_PORT: "70000",
      RELAY_PLACE: "here",
      RELAY_PUBLIC_ADDRESSES: "relay.example.com",
      LOG_LEVEL: "loud",
      RELAY_IDLE_MS: "-1",
    };
    const read = (): unknown => readConfig(wrong, 1_000);
    for (const name of [...Object.keys(wrong), "RELAY_ZONE", "RELAY_IDENTITY_FILE"]) expect(read).toThrow(name);
  });
});

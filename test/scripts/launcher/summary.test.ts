import { describe, expect, it } from "vitest";
import { chatLine, tryLine, verifyLine } from "../../../scripts/launcher/summary.ts";

const node = { id: "", url: "https://demo.postern.localhost:8443", hostnames: [], key: "postern_x" };
const local = { node, ca: "/ca/root.pem", zone: "postern.localhost" };

describe("the line to try", () => {
  it("asks the demo model, or which models there are, with the key", () => {
    expect(tryLine(local, "chat")).toBe(
      'curl --cacert /ca/root.pem https://demo.postern.localhost:8443/v1/chat/completions -H "Authorization: Bearer postern_x" ' +
        `-H "Content-Type: application/json" -d '{"model":"postern-demo","messages":[{"role":"user","content":"What is Postern?"}]}'`,
    );
    expect(tryLine(local, "models")).toBe(
      'curl --cacert /ca/root.pem https://demo.postern.localhost:8443/v1/models -H "Authorization: Bearer postern_x"',
    );
  });

  it("shows the key to nothing but the gateway, and finds a zone that has no DNS here", () => {
    const real = { node: { ...node, url: "https://a.example.org:8443" }, ca: null, zone: "example.org" };
    expect(tryLine(real, undefined)).toBe("curl --resolve a.example.org:8443:127.0.0.1 https://a.example.org:8443/");
  });
});

describe("the line to verify", () => {
  it("names the simulator's root, since nobody trusts it by themselves", () => {
    expect(verifyLine({ ...local, tee: { root: "/s/root.pem" } })).toBe(
      "npm run postern -- verify --cacert /ca/root.pem --simulator-root /s/root.pem https://demo.postern.localhost:8443",
    );
    const real = { node: { ...node, url: "https://a.example.org:8443" }, ca: null, zone: "example.org" };
    expect(verifyLine({ ...real, tee: { root: "/s/root.pem" } })).toBe(
      "npm run postern -- verify --connect 127.0.0.1:8443 --simulator-root /s/root.pem https://a.example.org:8443",
    );
  });
});

describe("the line to chat", () => {
  it("names the simulator, whose port may have moved", () => {
    expect(chatLine({ url: "http://127.0.0.1:9" })).toBe("npm run postern -- signal chat --url http://127.0.0.1:9");
  });
});

import { describe, expect, it } from "vitest";
import { judgeName, type NameFacts } from "../../../../../tee-bot/attestation/client/judge/name.ts";
import { labelOfNodeId, parseNodeId } from "../../../../../shared/registry/node-id.ts";
import { bytesOf, hexOf, someKeyset, someNode } from "../support/evidence.ts";

const facts: NameFacts = {
  hostname: "demo.example.net",
  keyset: someKeyset(),
  spkiSha256: hexOf(bytesOf(3)),
  certificate: { state: "trusted" },
  expected: undefined,
};
const spelt = `${labelOfNodeId(parseNodeId(someNode))}.example.net`;
const otherNode = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const untrusted = { state: "untrusted", problem: "It is self-signed." } as const;
const outcome = (changes: Partial<NameFacts>): string => judgeName({ ...facts, ...changes }).outcome;

describe("the name of a node", () => {
  it("is its own where a trusted certificate and the keyset tie it to the connection's key", () => {
    expect(outcome({})).toBe("pass");
    expect(outcome({ spkiSha256: hexOf(bytesOf(4)) })).toBe("skip");
    expect(outcome({ hostname: "else.example.net" })).toBe("skip");
  });

  it("is not known to be its own where only an untrusted certificate says so", () => {
    expect(outcome({ certificate: untrusted })).toBe("skip");
  });

  it("needs no CA where it spells the key, or where the node is the expected one", () => {
    expect(outcome({ hostname: spelt, certificate: untrusted })).toBe("pass");
    expect(outcome({ expected: someNode, certificate: untrusted })).toBe("pass");
  });

  it("is refused where another node answers than it spells or the policy expects", () => {
    expect(outcome({ hostname: spelt, keyset: someKeyset({ node_id: otherNode }) })).toBe("fail");
    expect(outcome({ hostname: spelt, keyset: someKeyset({ node_id: undefined }) })).toBe("fail");
    expect(outcome({ expected: otherNode })).toBe("fail");
    expect(outcome({ expected: someNode, keyset: someKeyset({ node_id: undefined }) })).toBe("fail");
  });

  it("is refused where the certificate is somebody else's, whatever else proves it", () => {
    const certificate = { state: "other-name", problem: "It is for b.example." } as const;
    expect(outcome({ certificate })).toBe("fail");
    expect(outcome({ certificate, hostname: spelt })).toBe("fail");
  });

  it("is not known where the quote binds no keyset", () => {
    expect(outcome({ keyset: undefined, hostname: spelt })).toBe("skip");
  });
});

import { describe, expect, test } from "vitest";
import { decideAdmission, decideRetirement } from "../../../relay/tunnel/admission.ts";

const facts = { epoch: 5, known: 5, asked: false, tunnels: 0, maxTunnels: 2 };

describe("admission", () => {
  test.each([
    ["admits the known epoch", {}, "admitted"],
    ["refuses an older epoch for good", { known: 6 }, "superseded"],
    ["asks the edge about a newer epoch", { known: 4 }, "ask"],
    ["asks the edge about a node it does not know", { known: undefined }, "ask"],
    ["refuses a node that the edge does not know either", { known: undefined, asked: true }, "unknown-node"],
    ["puts off an epoch that the edge does not know yet", { known: 4, asked: true }, "not-admitted"],
    ["admits what the edge has confirmed", { asked: true }, "admitted"],
    ["puts off a node that has as many tunnels as it may", { tunnels: 2 }, "not-admitted"],
    ["admits a node's second tunnel", { tunnels: 1 }, "admitted"],
  ])("%s", (_, changed, expected) => {
    const decided = decideAdmission({ ...facts, ...changed });
    const outcome = decided === "ask" ? "ask" : decided.admit ? "admitted" : decided.goaway.reason;
    expect(outcome).toBe(expected);
  });

  test.each([
    ["keeps a tunnel of the newest epoch", 5, undefined],
    ["ends a tunnel of an older epoch", 6, "superseded"],
    ["ends a tunnel whose node has no name any more", undefined, "unknown-node"],
    ["keeps a tunnel that is ahead of the feed", 4, undefined],
  ])("%s", (_, known, expected) => {
    expect(decideRetirement(5, known)?.reason).toBe(expected);
  });
});

import { describe, expect, test } from "vitest";
import type { Tunnel } from "../../../relay/tunnel/tunnel.ts";
import { Tunnels } from "../../../relay/tunnel/tunnels.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";

const [alice, bob] = ["a1".repeat(32) as NodeId, "b2".repeat(32) as NodeId];

/** Only what is chosen by. */
const tunnel = (node: NodeId, epoch: number, ready = true): Tunnel => ({ node, epoch, ready }) as Tunnel;

function tunnelsOf(...all: Tunnel[]): Tunnels {
  const tunnels = new Tunnels();
  for (const one of all) tunnels.add(one);
  return tunnels;
}

describe("tunnels", () => {
  test("choose the newest that is ready", () => {
    const [first, second, third] = [tunnel(alice, 1), tunnel(alice, 1), tunnel(alice, 1, false)];
    expect(tunnelsOf(first, second, third).choose(alice, 1)).toBe(second);
  });

  test("choose the newest when none is ready", () => {
    const [first, second] = [tunnel(alice, 1, false), tunnel(alice, 1, false)];
    expect(tunnelsOf(first, second).choose(alice, 1)).toBe(second);
  });

  test("choose none of another epoch or node", () => {
    const tunnels = tunnelsOf(tunnel(alice, 1), tunnel(bob, 2));
    expect([tunnels.choose(alice, 2), tunnels.choose(bob, 1)]).toEqual([undefined, undefined]);
  });

  test("forget what is removed, also when it is removed twice", () => {
    const [first, second] = [tunnel(alice, 1), tunnel(alice, 1)];
    const tunnels = tunnelsOf(first, second);
    tunnels.remove(second);
    tunnels.remove(second);
    expect(tunnels.of(alice)).toEqual([first]);
    tunnels.remove(first);
    expect([tunnels.of(alice), tunnels.choose(alice, 1)]).toEqual([[], undefined]);
  });

  test("are looked for once more when there is none", () => {
    const late = tunnel(alice, 1);
    const tunnels: Tunnels = new Tunnels({ onMissing: () => tunnels.add(late) });
    expect(tunnels.choose(alice, 1)).toBe(late);
  });
});

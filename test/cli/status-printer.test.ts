import { describe, expect, it } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { statusPrinter } from "../../tee-bot/cli/status-printer.ts";
import type { NodeStatus } from "../../tee-bot/control/status.ts";
import { nodeStatus } from "../tee-bot/support/node-status.ts";

const status = (
  health: NodeStatus["health"]["status"],
  certificate: Partial<NodeStatus["certificate"]> = {},
): NodeStatus =>
  nodeStatus({
    url: "https://alice.test",
    certificate: { ...nodeStatus().certificate, state: "ordering", words: "Being ordered.", ...certificate },
    health: { status: health, hostnames: [], steps: [] },
  });

function printed(terminal: boolean, ...told: NodeStatus[]): string {
  let text = "";
  const print = statusPrinter({ write: (part) => (text += part), terminal, color: false, clock: systemClock });
  for (const one of told) print(one);
  return text;
}

describe("what postern start prints", () => {
  it("on a terminal is each thing that the first certificate waits for, once, then the status", () => {
    const trouble = { detail: "No rights.", remedy: "Give them." };
    const text = printed(
      true,
      status("starting", { state: "missing", words: "None has been issued yet." }),
      status("starting"),
      status("starting"),
      status("starting", { words: "Waiting for DNS.", trouble }),
      status("starting", { words: "Waiting for DNS.", trouble }),
      status("healthy", { state: "valid", words: "Valid." }),
      status("healthy", { state: "renewing", words: "Waiting for DNS." }),
    );
    expect(text).toBe(
      "  certificate  Being ordered.\n  certificate  Waiting for DNS.\n  ! No rights.\n    → Give them.\n" +
        "https://alice.test  healthy\n\n\n  behind the name  gateway\n  local gateway    http://127.0.0.1:1\n  TEE              none: the keys are files\n",
    );
  });

  it("elsewhere is the status alone, whenever the health changes", () => {
    const text = printed(false, status("starting"), status("healthy"), status("healthy"), status("degraded"));
    expect(text.match(/^https:.*$/gm)).toEqual(["https://alice.test  healthy", "https://alice.test  degraded"]);
    expect(text).not.toContain("Being ordered");
  });
});

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  eventsToJson,
  replay,
  runtimeEvent,
  type MeasuredEvent,
} from "../../../../../tee-bot/attestation/simulator/guest/events.ts";

const sha384 = (data: string | Uint8Array): Buffer => createHash("sha384").update(data).digest();

describe("the digest of a runtime event", () => {
  it.each([
    // Digests of machines that exist: these events are the same on each.
    [
      "system-preparing",
      "",
      "f9974020ef507068183313d0ca808e0d1ca9b2d1ad0c61f5784e7157c362c06536f5ddacdad4451693f48fcc72fff624",
    ],
    [
      "storage-fs",
      "zfs",
      "ba51104636900268b0e059fa3d266419d079d1e94aea26fb9fcbb8d764bf4c89a67ac271b8a0d1a3989945132a111fc7",
    ],
    [
      "system-ready",
      "",
      "1a76b2a80a0be71eae59f80945d876351a7a3fb8e9fd1ff1cede5734aa84ea11fd72b4edfbb6f04e5a85edd114c751bd",
    ],
  ])("of the first version is dstack's: %s", (name, payload, digest) => {
    expect(runtimeEvent(name, Buffer.from(payload), 1).digest.toString("hex")).toBe(digest);
  });

  it("of the second version is that of its canonical JSON", () => {
    const { digest } = runtimeEvent("compose-hash", Buffer.from("abcd", "hex"), 2);
    expect(digest).toEqual(sha384('{"name":"compose-hash","payload":"abcd","type":134217729}'));
  });
});

describe("a log", () => {
  const boot: MeasuredEvent = { imr: 1, type: 4, digest: sha384("x"), name: "", payload: Buffer.from("x"), version: 1 };
  const events = [boot, runtimeEvent("a", Buffer.of(1), 1), runtimeEvent("b", Buffer.of(2), 2)];

  it("replays to each register from its own events, in order", () => {
    const [, a, b] = events;
    const first = sha384(Buffer.concat([Buffer.alloc(48), a?.digest ?? Buffer.of()]));
    expect(replay(events, 3)).toEqual(sha384(Buffer.concat([first, b?.digest ?? Buffer.of()])));
    expect(replay(events, 1)).toEqual(sha384(Buffer.concat([Buffer.alloc(48), boot.digest])));
    expect(replay(events, 0)).toEqual(Buffer.alloc(48));
  });

  it("has everything when it is whole, and when stripped what cannot be computed", () => {
    const digest = boot.digest.toString("hex");
    expect(eventsToJson(events, false)).toMatchObject([
      { imr: 1, event_type: 4, digest, event: "", event_payload: "78" },
      {
        imr: 3,
        event_type: 134217729,
        event: "a",
        event_payload: "01",
        digest: expect.stringMatching(/^.{96}$/) as string,
      },
      { version: 2 },
    ]);
    expect(eventsToJson(events, true)).toMatchObject([
      { digest, event_payload: "" },
      { digest: "", event_payload: "01" },
      {},
    ]);
  });
});

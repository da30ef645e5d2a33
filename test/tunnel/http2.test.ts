import { describe, expect, test } from "vitest";
import { startWorld } from "../support/relay-world.ts";
import { readBytes, readEnd } from "../support/socket-events.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

testTunnelBehaviour("one HTTP/2 connection", (options) => startWorld({ transport: "http2", ...options }));

describe("a tunnel over one HTTP/2 connection", () => {
  const rounds = 15;
  const inRound = 100; // 1,500 resets: libraries take 1,000 for an attack
  const chunk = Buffer.alloc(256 * 1024);

  /** Every visitor is greeted and sent a chunk, `whenHere` does the rest; the first one of all stays, and is asked at the end. */
  async function expectToLast(whenHere: "visitor resets" | "node resets"): Promise<void> {
    await using world = await startWorld({ transport: "http2" });
    let visitors = 0;
    const node = await world.addNode({
      onVisitor: ({ socket }) => {
        socket.on("error", () => {}).write("welcome");
        if (visitors++ === 0)
          socket.once("readable", () => socket.read() && socket.on("data", () => socket.write("ok")));
        else {
          socket.write(chunk);
          if (whenHere === "node resets") socket.once("data", () => socket.resetAndDestroy());
        }
      },
    });
    const first = await world.visit(node.name);
    await readBytes(first, 7);
    for (let round = 0; round < rounds; round++)
      await Promise.all(
        Array.from({ length: inRound }, async () => {
          const visitor = await world.visit(node.name);
          visitor.write(chunk);
          if (whenHere === "visitor resets") {
            await readBytes(visitor, 7);
            visitor.resetAndDestroy();
          } else await readEnd(visitor);
        }),
      );
    const answer = readBytes(first, 2);
    first.write("are you there?");
    expect((await answer).toString()).toBe("ok");
    expect(await world.metric("tunnels_total")).toBe(0);
  }

  test("outlives 1,500 visitors that reset amid an answer", () => expectToLast("visitor resets"));
  test("outlives 1,500 resets by the node amid what visitors send", () => expectToLast("node resets"));
});

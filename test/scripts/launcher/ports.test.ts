import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { choosePort, PortTakenError } from "../../../scripts/launcher/ports.ts";
import { freePort } from "../../support/postern.ts";

test("a port that is free is taken as it is", async () => {
  const [usual, asked] = [await freePort(), await freePort()];
  expect(await choosePort("edge", usual, undefined)).toEqual({ port: usual, moved: false });
  expect(await choosePort("edge", usual, asked)).toEqual({ port: asked, moved: false });
});

test("a usual port that is taken gives way to a free one; one that was asked for is an error that names it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const chosen = await choosePort("edge", port, undefined);
  expect(chosen.moved).toBe(true);
  expect(chosen.port).not.toBe(port);
  const refusal = choosePort("edge", await freePort(), port);
  await expect(refusal).rejects.toThrow(PortTakenError);
  await expect(refusal).rejects.toThrow(`Port ${port} for the edge is taken by another program.`);
  server.close();
});

import type { IncomingMessage, ServerResponse } from "node:http";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { evidencePath, maxEvidenceBytes } from "../../../../../shared/attestation/evidence.ts";
import { problemContentType, problemOf } from "../../../../../shared/problem.ts";
import { askEvidence } from "../../../../../tee-bot/attestation/client/observe/ask-evidence.ts";
import { openConnection } from "../../../../../tee-bot/attestation/client/observe/connection.ts";
import type { Shown } from "../../../../../tee-bot/attestation/client/observation.ts";
import { createTestCertificate } from "../../../../support/certificate.ts";
import { startAttestedServer } from "../support/attested-server.ts";

const hostname = "demo.postern.localhost";
const certificate = await createTestCertificate({ hostnames: [hostname] });
const quote = (reportData: Uint8Array) => ({ quote: Buffer.from(reportData).toString("hex"), event_log: "[]" });
const server = await startAttestedServer({ certificate, domain: hostname, quote });
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => {
  server.respond = () => false;
  server.tamper = (document) => document;
});

const nonce = "ab".repeat(32);
async function ask(signal = AbortSignal.timeout(10_000)): Promise<Shown> {
  const to = { host: "127.0.0.1", port: server.port };
  using connection = await openConnection({ hostname, to, roots: [certificate.certificate], signal });
  return await askEvidence(connection.socket, { host: `${hostname}:${server.port}`, nonce, signal });
}

function answerWith(status: number, body: string, headers: Record<string, string> = {}): void {
  server.respond = (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    return true;
  };
}

describe("asking for evidence", () => {
  it("takes the document as it came, with members that this version does not know", async () => {
    server.tamper = (document) => ({ ...document, later: 1 });
    const shown = await ask();
    expect(shown).toMatchObject({ kind: "evidence", evidence: { nonce }, document: { nonce, later: 1 } });
  });

  it("says under which name it asks, and asks for its nonce", async () => {
    const asked = new Promise<IncomingMessage>((resolve) => {
      server.respond = (request, response: ServerResponse) => {
        resolve(request);
        response.writeHead(404).end();
        return true;
      };
    });
    await ask();
    expect(await asked).toMatchObject({
      url: `${evidencePath}?nonce=${nonce}`,
      method: "GET",
      headers: { host: `${hostname}:${server.port}` },
    });
  });

  it.each([
    ["a page", 200, "<html>", { "content-type": "text/html" }, "not JSON"],
    ["no JSON", 200, "{", {}, "no object"],
    ["another object", 200, '{"version":"other"}', {}, "wrong at version"],
    ["a redirect", 302, "", { location: "https://elsewhere.example/" }, "sends the question elsewhere"],
    ["nothing there", 404, "", {}, "status 404"],
    [
      "a node outside a TEE",
      503,
      JSON.stringify(problemOf("tee-absent", "No guest agent is here.")),
      { "content-type": problemContentType },
      "No guest agent is here.",
    ],
  ])("is told none by %s", async (_, status, body, headers, words) => {
    answerWith(status, body, headers);
    expect(await ask()).toEqual({
      kind: "none",
      detail: expect.stringMatching(`^The node shows no evidence: .*${words}`),
    });
  });

  it("reads no answer that is longer than any evidence", async () => {
    answerWith(200, "x".repeat(maxEvidenceBytes + 1));
    expect(await ask()).toMatchObject({ kind: "none", detail: expect.stringContaining("has more than") });
  });

  it("survives a keyset nested beyond what can be walked", async () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    answerWith(200, `{"keyset":${deep}}`);
    expect(await ask()).toMatchObject({ kind: "none" });
  });

  it.each([
    [
      503,
      JSON.stringify(problemOf("upstream-timeout", "The hardware takes too long.")),
      "The hardware takes too long.",
    ],
    [503, "busy", "status 503"],
    [429, JSON.stringify(problemOf("too-many-requests", "Ask again in a minute.")), "Ask again in a minute."],
    [500, "", "status 500"],
  ])("is not answered by status %i", async (status, body, words) => {
    answerWith(status, body);
    await expect(ask()).rejects.toMatchObject({ code: "upstream-unavailable", detail: expect.stringContaining(words) });
  });

  it("is not answered by half an answer", async () => {
    server.respond = (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write("{", () => response.destroy());
      return true;
    };
    await expect(ask()).rejects.toMatchObject({ code: "upstream-unavailable" });
  });

  it("is given up when its caller does", async () => {
    server.respond = () => true; // and never a word
    await expect(ask(AbortSignal.timeout(300))).rejects.toMatchObject({ code: "upstream-unavailable" });
  });

  it("is given up, too, while the answer comes drop by drop", async () => {
    server.respond = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const dripping = setInterval(() => response.write(" "), 20);
      response.once("close", () => clearInterval(dripping));
      return true;
    };
    await expect(ask(AbortSignal.timeout(300))).rejects.toMatchObject({ code: "upstream-unavailable" });
  });
});

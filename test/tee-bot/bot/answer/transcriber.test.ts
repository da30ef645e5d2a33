import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../../shared/log.ts";
import { openTranscriber } from "../../../../tee-bot/bot/answer/transcriber.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function transcriberAt(listener: RequestListener, env: Record<string, string> = {}) {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
  const key = Object.keys(env)[0];
  const settings = { url, model: "whisper-1", ...(key !== undefined && { keyEnv: key }) };
  return openTranscriber({ settings, env, log: silentLog })!;
}

const never = new AbortController().signal;
const recording = Buffer.from("sound");

describe("a transcriber", () => {
  it("posts the recording as OpenAI's API wants it, with its key, and gives the text", async () => {
    let asked: { url: string | undefined; headers: IncomingHttpHeaders; body: string } | undefined;
    const transcriber = await transcriberAt(
      (request, response) => {
        const pieces: Buffer[] = [];
        request.on("data", (piece: Buffer) => pieces.push(piece));
        request.on("end", () => {
          asked = { url: request.url, headers: request.headers, body: Buffer.concat(pieces).toString("latin1") };
          response.end('{"text":"good day"}');
        });
      },
      { SOME_KEY: "sk-1" },
    );
    const heard = await transcriber.transcribe(recording, "audio/aac", never);
    expect(heard.ok && heard.text.reveal()).toBe("good day");
    expect(asked).toMatchObject({ url: "/v1/audio/transcriptions", headers: { authorization: "Bearer sk-1" } });
    expect(asked?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(asked?.body).toContain('name="model"\r\n\r\nwhisper-1');
    expect(asked?.body).toMatch(/name="file"; filename="voice.m4a"\r\nContent-Type: audio\/aac\r\n\r\nsound/);
  });

  it.each<[string, RequestListener]>([
    ["refuses", (_, response) => response.writeHead(500).end("no")],
    ["says nothing that is JSON", (_, response) => response.end("<html>")],
    ["says something else", (_, response) => response.end('{"words":[]}')],
    ["says too much", (_, response) => response.end(`{"text":"${"x".repeat(2 << 20)}"}`)],
    ["sends elsewhere", (_, response) => response.writeHead(307, { location: "http://127.0.0.1:9/" }).end()],
    ["breaks off", (request) => request.socket.destroy()],
  ])("gives no text where the server %s", async (_, listener) => {
    const transcriber = await transcriberAt(listener);
    expect(await transcriber.transcribe(recording, "audio/ogg", never)).toEqual({ ok: false });
  });

  it("ends when the question is not wanted any more", async () => {
    const transcriber = await transcriberAt(() => {});
    const stop = new AbortController();
    const heard = transcriber.transcribe(recording, "audio/ogg", stop.signal);
    stop.abort(new Error("stopped"));
    await expect(heard).rejects.toThrow("stopped");
  });

  it("is none without an address, and says what is wrong with its key", () => {
    const open = (settings: object) =>
      openTranscriber({ settings: { model: "whisper-1", ...settings }, env: {}, log: silentLog });
    expect(open({})).toBeUndefined();
    expect(() => open({ url: "http://127.0.0.1:9", keyEnv: "MISSING" })).toThrow(
      /signal\.transcriber cannot be used\. .*MISSING/,
    );
  });
});

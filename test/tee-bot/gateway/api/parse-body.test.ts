import { describe, expect, it } from "vitest";
import { ApiError } from "../../../../tee-bot/gateway/api/api-error.ts";
import { endpoints, type Endpoint } from "../../../../tee-bot/gateway/api/endpoints.ts";
import { parseBody } from "../../../../tee-bot/gateway/api/parse-body.ts";

const endpoint = (name: string): Endpoint => endpoints.find((one) => one.name === name)!;
const parse = (body: string, name = "chat"): ReturnType<typeof parseBody> =>
  parseBody(Buffer.from(body), endpoint(name));

function refusal(body: string): ApiError {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  throw new Error("The body was taken.");
}

describe("a body", () => {
  it("is read for its model and whether it asks for a stream", () => {
    expect(parse('{"model":"a","stream":true}')).toMatchObject({ model: "a", stream: true });
    expect(parse('{"model":"a","stream":false}').stream).toBe(false);
    expect(parse('{"model":"a","stream":null}').stream).toBe(false);
    expect(parse('{"model":"a"}').stream).toBe(false);
    expect(parse('{"model":"a","stream":true,"input":"x"}', "embeddings").stream).toBe(false);
  });

  it.each([
    ["", /empty/],
    ["hello", /line 1, column 1/],
    ['{"model":"a",\n "x": nope}', /line 2, column 7/],
    ['{"model":"a"', /too early, at line 1, column 13/],
    ["[]", /no object/],
    ["null", /no object/],
    ['"text"', /no object/],
  ])("that is no JSON object is refused and told where: %j", (body, message) => {
    expect(refusal(body)).toMatchObject({ code: "invalid_request", status: 400 });
    expect(refusal(body).message).toMatch(message);
  });

  it("is not quoted when it is refused", () => {
    expect(refusal('{"messages": secret-prompt }').message).not.toContain("secret");
  });

  it.each([
    "{}",
    '{"model":""}',
    '{"model":7}',
    '{"model":null}',
    '{"model":["a"]}',
    `{"model":"${"x".repeat(513)}"}`,
    '{"model":"a","model":"b"}',
  ])("without one usable model is refused, and the field named: %s", (body) => {
    expect(refusal(body)).toMatchObject({ code: "invalid_request", param: "model" });
  });

  it("whose stream is no yes or no is refused", () => {
    expect(refusal('{"model":"a","stream":"yes"}')).toMatchObject({ param: "stream" });
  });

  it("is guessed to have a quarter of its text in tokens, and a picture not by the length of its base64", () => {
    const text = (content: unknown): number =>
      parse(JSON.stringify({ model: "a", messages: [{ role: "user", content }] })).estimatedPromptTokens;
    expect(text("x".repeat(400))).toBe(100);
    expect(text([{ type: "text", text: "x".repeat(400) }])).toBe(100);
    const url = `data:image/png;base64,${"A".repeat(1_000_000)}`;
    expect(text([{ type: "image_url", image_url: { url } }])).toBe(1_000);
  });
});

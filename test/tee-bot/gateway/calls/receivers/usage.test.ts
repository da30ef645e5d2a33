import { describe, expect, it } from "vitest";
import { readUsage } from "../../../../../tee-bot/gateway/calls/receivers/usage.ts";

describe("the count of tokens", () => {
  it.each([
    ['{"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46}}', 12, 34],
    ['{"usage" : { "completion_tokens" : 34, "prompt_tokens" : 12 } }', 12, 34],
    ['{"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":4},"output_tokens":6}}', 5, 6],
    ['{"usage":{"prompt_tokens":7,"total_tokens":7}}', 7, 0],
    ['data: {"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\ndata: {"usage":null}\n\ndata: [DONE]', 1, 2],
    ['{"usage":{"prompt_tokens":1,"completion_tokens":1}}{"usage":{"prompt_tokens":1,"completion_tokens":9}}', 1, 9],
    ['{"done":true,"prompt_eval_count":26,"eval_count":298}', 26, 298],
  ])("is found in %s", (text, prompt, completion) => {
    expect(readUsage(text)).toEqual({ prompt, completion, estimated: false });
  });

  it.each(["", "{}", '{"usage":null}', '{"content":"\\"usage\\":{\\"prompt_tokens\\":9}"}', '{"usage":{}}'])(
    "is not found in %j",
    (text) => {
      expect(readUsage(text)).toBeUndefined();
    },
  );
});

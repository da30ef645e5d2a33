import { embeddingRequest } from "../api/embedding-request.ts";
import { EngineError } from "../api/engine-error.ts";
import { parseRequest } from "../api/parse.ts";
import { sendJson } from "./send.ts";
import type { EngineCall } from "./server.ts";

/** `POST /v1/embeddings` */
export async function answerEmbeddings({ body, response, models, signal }: EngineCall): Promise<void> {
  const request = parseRequest(embeddingRequest, body);
  const model = await models.get(request.model);
  const vectors: (readonly number[])[] = [];
  let promptTokens = 0;
  for (const input of request.input) {
    signal.throwIfAborted();
    const { vector, tokens } = await model.embed(input);
    if (request.dimensions && request.dimensions !== vector.length)
      throw new EngineError(
        "invalid_request",
        `The vectors of ${model.id} have ${vector.length} numbers.`,
        "dimensions",
      );
    vectors.push(vector);
    promptTokens += tokens;
  }
  const encode = request.encoding_format === "base64" ? base64Of : (vector: readonly number[]) => vector;
  const data = vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) }));
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  sendJson(response, { object: "list", data, model: model.id, usage });
}

/** 32-bit floats, the least significant byte first. */
function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}

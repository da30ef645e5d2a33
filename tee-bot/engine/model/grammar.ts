import type { Llama, LlamaGrammar } from "node-llama-cpp";
import { EngineError } from "../api/engine-error.ts";
import type { ResponseFormat } from "../api/response-format.ts";

type Schema = Parameters<Llama["createGrammarForJsonSchema"]>[0];

/** The grammars allow blank lines after the value, which a small model may go on writing. JSON itself never has them. */
export const jsonStops = ["\n\n\n\n"];

/** What keeps an answer to a form; undefined: any text will do. */
export async function grammarOf(format: ResponseFormat | undefined, llama: Llama): Promise<LlamaGrammar | undefined> {
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return llama.getGrammarFor("json");
  try {
    return await llama.createGrammarForJsonSchema(oneOfs(format.json_schema.schema) as Schema);
  } catch (error) {
    const message = "The embedded engine cannot make a grammar of this schema. Make it simpler.";
    throw new EngineError("invalid_request", message, "response_format.json_schema.schema", { cause: error });
  }
}

/** `anyOf` → `oneOf`, which is all that the grammar knows: what fits the one fits the other. */
function oneOfs(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(oneOfs);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key === "anyOf" ? "oneOf" : key, oneOfs(value)]),
  );
}

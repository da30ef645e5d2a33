/**
 * A guess at the tokens of a prompt before the provider has counted them: a quarter of its characters. Pictures and
 * sounds count as what providers usually charge for one, not by the length of their base64.
 */

const charactersPerToken = 4;
const tokensPerMedium = 1_000;
const textFields = ["content", "text", "prompt", "input", "instructions", "system", "messages", "arguments", "output"];
const maxDepth = 8;

export function estimatePromptTokens(fields: Record<string, unknown>): number {
  return Math.ceil(charactersIn(fields, 0) / charactersPerToken);
}

function charactersIn(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length;
  if (typeof value === "number") return charactersPerToken; // an input of token numbers
  if (typeof value !== "object" || value === null || depth > maxDepth) return 0;
  let sum = 0;
  if (Array.isArray(value)) for (const one of value) sum += charactersIn(one, depth + 1);
  else {
    const record = value as Record<string, unknown>;
    for (const name of textFields) if (record[name] !== undefined) sum += charactersIn(record[name], depth + 1);
    if ("image_url" in record || "input_audio" in record || "file" in record)
      sum += tokensPerMedium * charactersPerToken;
    if (depth === 0 && Array.isArray(record["tools"])) sum += JSON.stringify(record["tools"]).length;
  }
  return sum;
}

import type { ToolCallPart } from "./openai-answer.ts";

/** Calls of tools, put together from the parts in which OpenAI's API streams them. */
export class ToolCalls {
  readonly #calls: { id: string; name: string; text: string }[] = [];

  add(parts: readonly ToolCallPart[]): void {
    for (const [place, { index, id, function: part }] of parts.entries()) {
      const call = (this.#calls[index ?? place] ??= { id: "", name: "", text: "" });
      call.id ||= id ?? "";
      call.name ||= part?.name ?? "";
      call.text += part?.arguments ?? "";
    }
  }

  /** In Ollama's form, where arguments are an object. Undefined: there are none; an error: they are not JSON. */
  finish(): readonly object[] | undefined | Error {
    const calls = this.#calls.filter(Boolean);
    if (calls.length === 0) return undefined;
    try {
      return calls.map(({ id, name, text }) => {
        const called = { name, arguments: objectOf(text) };
        return id === "" ? { function: called } : { id, function: called };
      });
    } catch {
      return new Error("The model called a tool with arguments that are not JSON.");
    }
  }
}

function objectOf(text: string): object {
  const value: unknown = JSON.parse(text === "" ? "{}" : text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Error("no object");
}

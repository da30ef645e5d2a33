import type { Message } from "./fields.ts";
import { present } from "./parameters.ts";

/** Ollama's messages as OpenAI's: pictures become parts of the content, calls of tools get ids. */
export function messagesOf(messages: readonly Message[]): object[] {
  const waiting: { id: string; name: string }[] = [];
  let calls = 0;
  return messages.map((message) => {
    const toolCalls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: given } }) => {
      const call = { id: id ?? `call_${++calls}`, name };
      waiting.push(call);
      return { id: call.id, type: "function", function: { name, arguments: JSON.stringify(given ?? {}) } };
    });
    return present({
      role: message.role,
      content: contentOf(message.content ?? "", message.images ?? []),
      tool_calls: toolCalls.length > 0 ? toolCalls : undefined,
      tool_call_id:
        message.role === "tool" ? (message.tool_call_id ?? takeCall(waiting, message.tool_name)) : undefined,
    });
  });
}

/** Text alone, or with pictures in their order. */
export function contentOf(text: string, images: readonly string[]): string | object[] {
  if (images.length === 0) return text;
  const pictures = images.map((image) => ({ type: "image_url", image_url: { url: dataUrl(image) } }));
  return text === "" ? pictures : [{ type: "text", text }, ...pictures];
}

/** Ollama's results of tools name the tool at most, and come in the order of the calls. */
function takeCall(waiting: { id: string; name: string }[], name: string | null | undefined): string {
  const index = Math.max(0, name ? waiting.findIndex((call) => call.name === name) : 0);
  return waiting.splice(index, 1)[0]?.id ?? "call_0";
}

/** First characters of each kind of file in base64. */
const kinds = [
  ["/9j/", "jpeg"],
  ["R0lGOD", "gif"],
  ["UklGR", "webp"],
] as const;

function dataUrl(image: string): string {
  if (image.startsWith("data:")) return image;
  const kind = kinds.find(([start]) => image.startsWith(start))?.[1] ?? "png";
  return `data:image/${kind};base64,${image}`;
}

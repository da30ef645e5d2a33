/** The first event of a stream, and all of them: https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { parseJson } from "../../../../shared/parse-json.ts";
import type { StreamForm } from "../../api/endpoints.ts";

/** One event with data, or one line of a stream of lines. */
export interface StreamEvent {
  readonly name: string | undefined;
  readonly data: string;
}

/** The events of complete text, comments left out. */
export function parseEvents(form: StreamForm, text: string): StreamEvent[] {
  if (form === "ollama-lines") return linesOf(text).map((data) => ({ name: undefined, data }));
  const events: StreamEvent[] = [];
  for (const block of text.split(/\r?\n\r?\n/)) {
    const data: string[] = [];
    let name: string | undefined;
    for (const line of block.split(/\r?\n/)) {
      if (line.startsWith("data:")) data.push(fieldValue(line, 5));
      else if (line.startsWith("event:")) name = fieldValue(line, 6);
    }
    if (data.length > 0) events.push({ name, data: data.join("\n") });
  }
  return events;
}

export type EventVerdict = "good" | "error" | "malformed";

/** Whether an event is what a client can use. */
export function judgeEvent({ name, data }: StreamEvent): EventVerdict {
  if (data.trim() === "[DONE]") return "good";
  const value = parseJson(data);
  if (typeof value !== "object" || value === null) return "malformed";
  const { error, type } = value as { error?: unknown; type?: unknown };
  const says = name === "error" || type === "error" || (error !== undefined && error !== null);
  return says ? "error" : "good";
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

function fieldValue(line: string, from: number): string {
  return line.slice(line[from] === " " ? from + 1 : from);
}

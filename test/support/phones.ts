/** People with telephones, who write to a bot through the stand-in for Signal. */

const answerMs = 30_000;

export interface SeenMessage {
  readonly from: string;
  readonly text: string;
  readonly timestamp: number;
  readonly quote: { readonly timestamp: number } | undefined;
  readonly attachments: readonly { readonly id: string; readonly filename?: string | null }[];
}

export class Phones {
  readonly #url: string;

  /** `url`: of the stand-in. */
  constructor(url: string) {
    this.#url = url;
  }

  /** As this person would write; resolves to its timestamp. */
  async write(from: string, text: string, more: object = {}): Promise<number> {
    const body = JSON.stringify({ from, text, ...more });
    const response = await this.#call("/messages", { method: "POST", body });
    return ((await response.json()) as { timestamp: number }).timestamp;
  }

  /** What this person sees, oldest first. */
  async conversation(from: string): Promise<readonly SeenMessage[]> {
    const response = await this.#call(`/messages?from=${encodeURIComponent(from)}`);
    return ((await response.json()) as { messages: SeenMessage[] }).messages;
  }

  /** What Signal knows a person by. */
  async person(name: string): Promise<{ number: string; uuid: string }> {
    const response = await this.#call("/messages/people");
    const { people } = (await response.json()) as { people: { name: string; number: string; uuid: string }[] };
    const found = people.find((one) => one.name === name);
    if (!found) throw new Error(`There is no ${name}.`);
    return found;
  }

  /** Timestamps of messages that Signal gave out and that nobody took: upstream tries once. */
  async lost(): Promise<readonly { timestamp: number; mayHaveArrived: boolean }[]> {
    const response = await this.#call("/messages/lost");
    return ((await response.json()) as { lost: { timestamp: number; mayHaveArrived: boolean }[] }).lost;
  }

  async #call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { "content-type": "application/json" };
    const signal = AbortSignal.timeout(answerMs);
    const response = await fetch(this.#url + path, { ...init, headers, signal });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}

/** Parameters of the API that would change what an answer means, and that this engine cannot follow: never ignored. */
interface Refusal {
  param: string;
  asks: (value: unknown, request: Readonly<Record<string, unknown>>) => boolean;
  why: string;
}

const isGiven = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : value !== "" && Boolean(value));
const isMoreThanOne = (value: unknown): boolean => value !== 1 && value !== undefined && value !== null;

const refusals: readonly Refusal[] = [
  {
    param: "tools",
    asks: (value, { tool_choice: choice }) => isGiven(value) && choice !== "none",
    why: "The embedded engine cannot call tools. Leave them out, or ask a model of another provider.",
  },
  {
    param: "functions",
    asks: isGiven,
    why: "The embedded engine cannot call functions. Leave them out, or ask a model of another provider.",
  },
  { param: "n", asks: isMoreThanOne, why: "The embedded engine gives one answer to a request." },
  { param: "best_of", asks: isMoreThanOne, why: "The embedded engine gives one answer to a request." },
  { param: "logprobs", asks: isGiven, why: "The embedded engine does not tell probabilities." },
  { param: "top_logprobs", asks: isGiven, why: "The embedded engine does not tell probabilities." },
  { param: "echo", asks: isGiven, why: "The embedded engine does not repeat the prompt." },
  { param: "suffix", asks: isGiven, why: "The embedded engine writes at the end of a text only." },
  { param: "audio", asks: isGiven, why: "The embedded engine writes text only." },
  {
    param: "modalities",
    asks: (value) => Array.isArray(value) && value.some((one) => one !== "text"),
    why: "The embedded engine writes text only.",
  },
  { param: "web_search_options", asks: isGiven, why: "The embedded engine reaches no network." },
];

export function findRefused(
  request: Readonly<Record<string, unknown>>,
): { param: string; message: string } | undefined {
  const found = refusals.find(({ param, asks }) => asks(request[param], request));
  return found && { param: found.param, message: found.why };
}

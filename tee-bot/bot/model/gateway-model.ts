/**
 * Asks the node's own gateway, at its port on this machine: the same routes, limits, privacy rules, proofs and traces as
 * for everybody who calls it.
 */
import { Pool, type Dispatcher } from "undici";
import { readUpTo } from "../../upstream/read-up-to.ts";
import { Sensitive } from "../../../shared/sensitive.ts";
import type { PrivacyRule } from "../../gateway/routing/route.ts";
import { connectorOf } from "../../upstream/connector.ts";
import { AnswerCollector } from "./collect-answer.ts";
import { decideTrouble, ModelError, type FailedCall } from "./model-error.ts";
import type { Model, ModelAnswer, ModelQuestion, OfferedModel } from "./model.ts";
import { decideModel, readModels } from "./read-models.ts";

export interface GatewayModelOptions {
  /** Such as `http://127.0.0.1:31145`. */
  origin: string;
  /** The node's own key; see the gateway's `ownKey`. */
  key: string;
  /** Asked where a chat has chosen none; undefined: one that is offered. */
  model: string | undefined;
  privacy: PrivacyRule;
  /** The longest that an answer may take. What there is of it then is given, as cut. */
  answerMs: number;
}

const maxListBytes = 8 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;
const listTimeoutMs = 10_000;
/** Nobody chooses anew for each question which of the offered models is the usual one. */
const usualForMs = 5_000;
/** More calls wait for one of these. */
const maxConnections = 1_000;

type Response = Dispatcher.ResponseData;
type Body = Response["body"];

export class GatewayModel implements Model, AsyncDisposable {
  readonly #options: GatewayModelOptions;
  readonly #pool: Pool;
  #usual: { readonly id: string; readonly until: number } | undefined;

  constructor(options: GatewayModelOptions) {
    this.#options = options;
    this.#pool = new Pool(options.origin, {
      connect: connectorOf({}),
      connections: maxConnections,
      headersTimeout: 0, // the limit of the whole answer holds
      bodyTimeout: 0,
    });
  }

  async ask(question: ModelQuestion): Promise<ModelAnswer> {
    const { signal } = question;
    const deadline = AbortSignal.timeout(this.#options.answerMs);
    const either = AbortSignal.any([signal, deadline]);
    const collected = new AnswerCollector();
    let head: Head | undefined;
    try {
      const model = question.model ?? (await this.#usualModel(either));
      const response = await this.#request("POST", "/v1/chat/completions", either, { ...question, model });
      head = headOf(response, model);
      if (response.statusCode !== 200) throw await readRefusal(response, head);
      await collect(response.body, collected, question.onText);
    } catch (error) {
      this.#usual = undefined; // it may be that one's fault
      signal.throwIfAborted();
      if (error instanceof ModelError) throw error;
      if (!deadline.aborted) throw new ModelError("outage", head);
      collected.isCut = true;
    }
    const { trouble } = collected;
    if (trouble) throw new ModelError(trouble, head);
    const { model = collected.model ?? "", provider, attestation, requestId } = head ?? {};
    return { text: new Sensitive(collected.text), model, provider, attestation, requestId, isCut: collected.isCut };
  }

  async list(signal: AbortSignal): Promise<OfferedModel[]> {
    try {
      const response = await this.#request(
        "GET",
        "/v1/models",
        AbortSignal.any([signal, AbortSignal.timeout(listTimeoutMs)]),
      );
      if (response.statusCode !== 200) throw await readRefusal(response, undefined);
      return readModels(await readText(response.body, maxListBytes));
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ModelError ? error : new ModelError("outage");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }

  #request(
    method: "GET" | "POST",
    path: string,
    signal: AbortSignal,
    asked?: Pick<ModelQuestion, "messages"> & { model: string },
  ): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#options.key}` };
    if (!asked) return this.#pool.request({ method, path, headers, signal });
    return this.#pool.request({
      method,
      path,
      headers: { ...headers, "content-type": "application/json", "x-postern-privacy": this.#options.privacy },
      body: JSON.stringify({ model: asked.model, messages: asked.messages, stream: true }),
      signal,
    });
  }

  async #usualModel(signal: AbortSignal): Promise<string> {
    const { model } = this.#options;
    if (model !== undefined) return model;
    if (this.#usual && performance.now() < this.#usual.until) return this.#usual.id;
    const offered = decideModel(await this.list(signal));
    if (!offered) throw new ModelError("no-model");
    this.#usual = { id: offered.id, until: performance.now() + usualForMs };
    return offered.id;
  }
}

/** What the head of an answer says. */
interface Head {
  readonly model: string;
  readonly provider: string | undefined;
  readonly attestation: string | undefined;
  readonly requestId: string | undefined;
}

function headOf({ headers }: Response, asked: string): Head {
  const field = (name: string): string | undefined => [headers[name]].flat()[0];
  return {
    model: field("x-postern-model") ?? asked,
    provider: field("x-postern-provider"),
    attestation: field("x-postern-attestation"),
    requestId: field("x-request-id"),
  };
}

async function collect(body: Body, collected: AnswerCollector, onText: ModelQuestion["onText"]): Promise<void> {
  for await (const piece of body) {
    if (collected.add(piece as Buffer)) onText?.(new Sensitive(collected.text));
    if (collected.isSettled) return;
  }
}

async function readRefusal({ statusCode, headers, body }: Response, call: FailedCall | undefined): Promise<ModelError> {
  const said = await readText(body, maxErrorBytes)
    .then((text): unknown => JSON.parse(text))
    .catch(() => undefined);
  const seconds = Number(headers["retry-after"]);
  return new ModelError(decideTrouble(statusCode, said), {
    ...call,
    ...(seconds > 0 && { retryAfterMs: seconds * 1_000 }),
  });
}

/** Throws when there is more. */
async function readText(body: Body, maxBytes: number): Promise<string> {
  const bytes = await readUpTo(body, maxBytes);
  if (!bytes) throw new RangeError("the answer is longer than any that is meant");
  return bytes.toString();
}

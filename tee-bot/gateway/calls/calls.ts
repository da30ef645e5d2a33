/** Every call of the API, from the first byte of its request to its last word in the request log. */
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { HttpRequest } from "../../server/terminator.ts";
import type { Access, Admission, Caller } from "../access/access.ts";
import { ApiError } from "../api/api-error.ts";
import { BodyRoom, type BodyPlace } from "../api/body-room.ts";
import type { Call } from "../api/call.ts";
import { dropUpload } from "../api/read-body.ts";
import { readCall, type CallHead } from "../api/read-call.ts";
import type { ReceiptDraft } from "../receipts/receipt-draft.ts";
import type { Receipts } from "../receipts/receipts.ts";
import { stricterRule, type Router } from "../routing/route.ts";
import type { GatewaySettings } from "../settings.ts";
import { createRequestId } from "../tracking/request-id.ts";
import type { Track, Tracker } from "../tracking/track.ts";
import { CallTiming } from "./call-timing.ts";
import type { ClientAnswer } from "./answers/client-answer.ts";
import { answerError } from "./answers/error-response.ts";
import { runCall, type CallEnd } from "./run-call.ts";

export interface CallsOptions {
  readonly access: Access;
  readonly router: Router;
  readonly tracker: Tracker;
  /** Undefined: nobody could vouch for the key that would sign them. */
  readonly receipts: Receipts | undefined;
  readonly settings: () => GatewaySettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** One call as it comes in. */
export interface Incoming extends Pick<Call, "endpoint" | "surface"> {
  readonly request: HttpRequest;
  readonly client: ClientAnswer;
  /** The client's address. */
  readonly from: string;
  /** What every answer to it says besides, names and values in turn. */
  readonly headers: readonly string[];
  /** Of another API than OpenAI's: what the call is in that. Throws {@link ApiError}. */
  readonly translate?: (call: Call) => Call;
}

/** The same while it is answered. */
interface Handled extends Incoming {
  readonly draft?: ReceiptDraft;
}

const mebibyte = 1024 * 1024;
/** Of the largest size, that may be held at once. */
const heldBodies = 16;

export class Calls {
  readonly #options: CallsOptions;
  readonly #bodies = new BodyRoom();

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Answers one call, whatever happens. */
  async handle(called: Incoming): Promise<void> {
    const head: CallHead = {
      id: createRequestId(this.#options.clock.now()),
      endpoint: called.endpoint,
      surface: called.surface,
      client: called.from,
      startedAt: performance.now(),
    };
    const { receipts } = this.#options;
    const receipt = receipts && !called.translate ? await receipts.begin(called.client, head) : undefined;
    const incoming: Handled = receipt ? { ...called, client: receipt.draft, draft: receipt.draft } : called;
    const headers = ["x-request-id", head.id, ...incoming.headers, ...(receipt?.headers ?? [])];
    const place: BodyPlace = { bytes: 0 };
    let keyId: string | undefined;
    try {
      const caller = this.#options.access.authenticate(incoming.request.headers, incoming.surface, incoming.from);
      ({ keyId } = caller);
      await this.#run(incoming, head, caller, headers, place);
    } catch (error) {
      const said = this.#refusal(error, head.id);
      this.#options.log.debug("call.refused", { requestId: head.id, status: said.status, code: said.code });
      this.#answer(incoming.client, said, headers);
    }
    if (receipt) receipts?.end(receipt.draft, keyId);
    this.#bodies.leave(place);
    dropUpload(incoming.request);
  }

  async #run(
    incoming: Handled,
    head: CallHead,
    caller: Caller,
    headers: readonly string[],
    place: BodyPlace,
  ): Promise<void> {
    const { tracker } = this.#options;
    const { limits, timeouts, privacy } = this.#options.settings();
    const maxBytes = limits.bodyMiB * mebibyte;
    const take = (bytes: number): boolean => this.#bodies.take(place, bytes, heldBodies * maxBytes);
    const upload = { maxBytes, idleMs: timeouts.clientSeconds * 1_000, take };
    let call: Call;
    try {
      call = await readCall(incoming.request, head, upload);
      const rule = stricterRule(privacy, call.privacy ?? "any");
      incoming.draft?.received(call.body, call.model, rule === "local-or-verified");
      if (incoming.translate) call = incoming.translate(call);
    } catch (error) {
      const track = tracker.begin({ ...head, model: "", stream: false });
      track.keyed(caller.keyId);
      const said = this.#refusal(error, head.id);
      this.#end(track, said);
      return this.#answer(incoming.client, said, headers);
    }
    const track = tracker.begin(call);
    track.keyed(caller.keyId);
    const timing = new CallTiming(call.startedAt);
    try {
      track.end(await this.#serve(call, caller, incoming, track, timing, headers));
    } catch (error) {
      const said = this.#refusal(error, call.id);
      this.#end(track, said);
      this.#answer(incoming.client, said, [...headers, "server-timing", timing.header()]);
    }
  }

  async #serve(
    call: Call,
    caller: Caller,
    { client, draft }: Handled,
    track: Track,
    timing: CallTiming,
    headers: readonly string[],
  ): Promise<CallEnd> {
    const { access, router, clock, random, log } = this.#options;
    const settings = this.#options.settings();
    const { model, targetNode, privacy } = call;
    const route = router.route({ model, endpoint: call.endpoint.name, targetNode, privacy });
    track.routed(route);
    const turn = access.admit(caller, call, client);
    const admission = turn instanceof Promise ? await turn : turn; // an await costs a microtask also of what is here
    timing.queued(admission.queuedMs);
    track.queued(admission.queuedMs);
    const release = once(admission);
    try {
      const whole = call.stream && (call.whole || route.whole === true);
      const all = [...headers, ...admission.headers];
      const end = await runCall({
        call,
        route,
        whole,
        settings,
        client,
        receipt: draft,
        track,
        timing,
        headers: all,
        clock,
        random,
        log,
      });
      release(end.tokens);
      return end;
    } finally {
      release(undefined);
    }
  }

  #end(track: Track, { status, code, failed }: ApiError): void {
    track.end({ status, error: code, failed });
  }

  #answer(client: ClientAnswer, error: ApiError, headers: readonly string[]): void {
    if (client.begun) client.breakOff();
    else answerError(client, error, headers);
  }

  #refusal(error: unknown, requestId: string): ApiError {
    if (error instanceof ApiError) return error;
    this.#options.log.error("call.crashed", { requestId, error: errorText(error) });
    return new ApiError("internal_error", `Something went wrong in the gateway. Its log says more, at ${requestId}.`);
  }
}

/** Of several ends of one turn the first counts. */
function once(admission: Admission): Admission["release"] {
  let open = true;
  return (tokens) => {
    if (open) admission.release(tokens);
    open = false;
  };
}

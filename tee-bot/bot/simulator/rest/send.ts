/** `POST /v2/send`, with both forms of its answer and all its failures. */
import { Hono } from "hono";
import { never } from "../container/container.ts";
import type { SendFault } from "../faults.ts";
import { sendMessage, type Outgoing, type SendFailure, type SendOutcome } from "../signal/send-message.ts";
import type { World } from "../signal/world.ts";
import { parseStyledText } from "../styled-text.ts";
import { readAttachment } from "./attachments.ts";
import { destinationOf, unregistered } from "./recipients.ts";
import { callAs, readBody, type AnswerForm, type RestOptions } from "./rest-call.ts";
import { RestError } from "./rest-error.ts";
import { sendSchema, type SendRequest } from "./schemas.ts";

const rateLimited =
  "Failed to send message due to rate limiting. Use the attached challenge tokens to lift the rate limit restrictions via the '/v1/accounts/{number}/rate-limit-challenge' endpoint.";

export function sendRoutes(options: RestOptions): Hono {
  const { faults, answerForm } = options;
  const app = new Hono();
  app.post("/v2/send", async (context) => {
    const request = await readBody(context, sendSchema);
    checkRequest(request);
    const fault = faults.takeSendFault();
    const outcome = await sendWithFault(options, request, fault);
    const failure = decideFailure(outcome, request, answerForm);
    if (failure) throw failure;
    return context.json(answerOf(outcome, answerForm), 201);
  });
  return app;
}

/** What the server refuses before signal-cli hears of it, in its order. */
function checkRequest(request: SendRequest): void {
  if (request.recipients.length === 0)
    throw new RestError("Couldn't process request - please provide at least one recipient");
  if (request.number === "") throw new RestError("Couldn't process request - please provide a valid number");
  if (request.sticker !== "" && !request.sticker.includes(":"))
    throw new RestError("Couldn't process request - please provide valid sticker delimiter");
  if (request.view_once && request.base64_attachments.length === 0)
    throw new RestError("'view_once' can only be set for image attachments!");
}

async function sendWithFault(
  options: RestOptions,
  request: SendRequest,
  fault: SendFault | undefined,
): Promise<SendOutcome> {
  const { world, answerForm, host, receipts } = options;
  const send = (): SendOutcome => {
    const reasons = fault?.kind === "partial" ? fault.reasons : {};
    return sendMessage(world, readOutgoing(world, request, answerForm), { reasons, receipts });
  };
  switch (fault?.kind) {
    case "hang":
      if (fault.delivered) send();
      return never();
    case "crash":
      if (fault.delivered) send();
      host.crash();
      return never();
    case "slow":
      await world.clock.sleep(fault.ms);
      return callAs(options, request.number, send);
    case "rate-limited":
      return callAs(options, request.number, () => {
        throw rateLimitError(request.number, fault.token ?? "");
      });
    case "untrusted":
      return callAs(options, request.number, () => {
        throw untrusted(answerForm);
      });
    case "failed":
      return callAs(options, request.number, () => {
        throw new RestError("Failed to send message");
      });
    case "partial":
    case undefined:
      return callAs(options, request.number, send);
  }
}

function readOutgoing(world: World, request: SendRequest, form: AnswerForm): Outgoing {
  const { quote_timestamp: quoted, quote_author: author, message, sticker, base64_attachments } = request;
  const destination = destinationOf(world, request.recipients);
  if (quoted !== undefined && author === undefined) throw new RestError("Quote author parameter is missing");
  if (message === "" && base64_attachments.length === 0 && sticker === "" && quoted === undefined)
    throw new RestError("Sending empty message is not allowed, either a message, attachment or sticker must be given.");
  checkPreview(request);
  const styled = request.text_mode === "styled";
  const { text, styles } = styled
    ? parseStyledText(message, { tripleStar: form === "array" })
    : { text: message, styles: [] };
  const mentions = request.mentions.map(({ start, length, author: who }) => ({
    start,
    length,
    name: world.nameOf(who),
  }));
  return {
    destination,
    text,
    styles,
    mentions,
    quote:
      quoted === undefined
        ? null
        : { timestamp: quoted, author: world.nameOf(author ?? ""), text: request.quote_message ?? null },
    attachments: base64_attachments.map((given) => readAttachment(world.contents, given)),
    sticker: sticker || null,
    viewOnce: request.view_once,
    edits: request.edit_timestamp,
  };
}

function checkPreview({ link_preview: preview, message }: SendRequest): void {
  if (!preview) return;
  if (!preview.url.startsWith("https://")) throw new RestError("Link preview URL must start with https://");
  if (!message.includes(preview.url)) throw new RestError("Link preview URL must be part of the message");
}

/** A send that reached nobody is one that failed; who was reached in part learns it from the newer answer only. */
function decideFailure(
  { recipients, failures }: SendOutcome,
  { number }: SendRequest,
  form: AnswerForm,
): RestError | undefined {
  const [first] = failures;
  if (!first || failures.length < recipients) return undefined;
  const all = (reason: SendFailure["reason"]): boolean => failures.every((failure) => failure.reason === reason);
  if (all("IDENTITY_FAILURE")) return untrusted(form);
  if (all("RATE_LIMIT_FAILURE")) return rateLimitError(number, "");
  if (all("UNREGISTERED_FAILURE") && typeof first.recipient === "string") return unregistered(first.recipient);
  return new RestError("Failed to send message");
}

function answerOf({ timestamp, failures }: SendOutcome, form: AnswerForm): object {
  const sent = { timestamp: String(timestamp) };
  if (form === "object") return sent;
  if (failures.length === 0) return [sent];
  return [{ ...sent, errors: { recipients: failures.map(failureOf) } }];
}

function failureOf({ recipient, reason }: SendFailure): object {
  if (typeof recipient === "string") return { number: recipient, reason };
  return { ...(!recipient.hidesNumber && { number: recipient.number }), uuid: recipient.uuid, reason };
}

/** A limit that no captcha lifts has one token all the same, which is empty. */
function rateLimitError(account: string, token: string): RestError {
  return new RestError(rateLimited, 429, { challenge_tokens: [token], account });
}

function untrusted(form: AnswerForm): RestError {
  return new RestError(
    form === "array"
      ? "Unable to complete request due to untrusted recipient keys"
      : "Failed to send message due to untrusted identities",
  );
}

import { ApiError } from "../../api/api-error.ts";
import type { Failure } from "../attempts/outcome.ts";
import type { Trouble } from "../attempts/trouble.ts";

/** What the client is told when no provider has answered it, and none has given an error that can be passed on. */
export function finalError(trouble: Trouble, failure: Failure, provider: string): ApiError {
  const reason = "reason" in failure ? failure.reason : `status ${failure.answer.status}`;
  switch (trouble.kind) {
    case "silent":
      return new ApiError(
        "upstream_timeout",
        `The provider ${provider} was silent: ${reason}. Try again, or another model.`,
      );
    case "key-refused":
      return new ApiError(
        "upstream_refused_key",
        `The provider ${provider} refuses this gateway's own key (${reason}). Whoever runs the gateway has to look at it.`,
      );
    case "unsupported":
      return new ApiError(
        "not_supported",
        `The provider ${provider} does not have this endpoint. /v1/chat/completions has it.`,
      );
    case "transient":
    case "limited":
    case "unfit":
    case "too-long":
    case "absent":
    case "client-fault":
      return failure.kind === "unreachable"
        ? new ApiError("upstream_unreachable", `The provider ${provider} cannot be reached: ${reason}.`)
        : new ApiError("upstream_broken", `The provider ${provider} did not give a usable answer: ${reason}.`);
  }
}

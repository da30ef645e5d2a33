/** A call that the guest agent refuses; its message is what the caller is told, with status 400. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}

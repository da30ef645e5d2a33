/** Whether the host of a URL is this machine, as it is written there; no name is looked up. */
export function isLoopbackUrl({ hostname }: URL): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

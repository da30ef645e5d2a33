#!/bin/sh
# Starts workerd so that it cannot outlive the process that started it, not even one that was ended with SIGKILL.
# Miniflare runs this in workerd's place (MINIFLARE_WORKERD_PATH); POSTERN_WORKERD is the real program.
parent=$PPID

if command -v setpriv >/dev/null 2>&1 && setpriv --pdeathsig KILL true 2>/dev/null; then
  # The kernel sends the signal when the thread that forked ends: Node forks on its main thread. Whoever lost its
  # parent before the kernel was asked has another one by now.
  # shellcheck disable=SC2016
  exec setpriv --pdeathsig KILL sh -c '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"' \
    workerd "$parent" "$POSTERN_WORKERD" "$@"
fi

# Elsewhere a watcher polls the parent. exec keeps the process id, which is the one to end.
self=$$
(
  while kill -0 "$parent" 2>/dev/null && kill -0 "$self" 2>/dev/null; do sleep 0.5; done
  kill -9 "$self" 2>/dev/null
) </dev/null >/dev/null 2>&1 3>&- &
exec "$POSTERN_WORKERD" "$@"

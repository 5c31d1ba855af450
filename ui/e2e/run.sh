#!/bin/sh
# Tests of the page in a real browser against the real binary. Builds neither: run `make ui` and cargo before.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
  echo "installing chromium" >&2
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium
fi
exec npx vitest run --config e2e/vitest.config.ts "$@"

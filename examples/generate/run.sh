#!/usr/bin/env bash
# Record every example anew:            bash examples/generate/run.sh
# Only compare with what is stored:     bash examples/generate/run.sh --check
# Only some frameworks:                 bash examples/generate/run.sh langgraph ag2
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
examples="$(dirname "$here")"
envs="${EXAMPLES_ENVS:-${TMPDIR:-/tmp}}"
python="${PYTHON:-python3.11}"

check=no
if [ "${1:-}" = "--check" ]; then check=yes; shift; fi
frameworks=("$@")
if [ "$#" -eq 0 ]; then
    for pins in "$here"/requirements/*.txt; do frameworks+=("$(basename "$pins" .txt)"); done
fi

export EXAMPLES_OUT="$examples" PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
# The server that scripted_server.py shares with the tests of living frameworks.
export PYTHONPATH="$(dirname "$examples")/tests/frameworks/stage"
# No framework may report home, and none may pick up a key or an exporter of the machine.
export OTEL_SDK_DISABLED=false OPENAI_API_KEY=none LANGSMITH_TRACING=false
export OPENAI_AGENTS_DISABLE_TRACING=0 HF_HUB_OFFLINE=1 AUTOGEN_USE_DOCKER=0
unset OTEL_RESOURCE_ATTRIBUTES OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT OPENAI_BASE_URL
if [ "$check" = yes ]; then
    EXAMPLES_OUT="$(mktemp -d)"
    trap 'rm -rf "$EXAMPLES_OUT"' EXIT
fi

status=0
for framework in "${frameworks[@]}"; do
    pins="$here/requirements/$framework.txt"
    env="$envs/exvenv-$framework"
    if ! cmp -s "$pins" "$env/pinned.txt"; then
        "$python" -m venv --clear "$env"
        "$env/bin/python" -m pip install --quiet --disable-pip-version-check -r "$pins"
        cp "$pins" "$env/pinned.txt"
    fi
    driver="$here/${framework}_team.py"
    [ -e "$driver" ] || driver="$here/$framework.py"
    for slug in $("$env/bin/python" "$here/scenario.py" "$framework"); do
        "$env/bin/python" "$driver" "$slug"
        if [ "$check" = yes ]; then
            diff -rq "$examples/$slug" "$EXAMPLES_OUT/$slug" || status=1
            diff -q <(grep -F "\"group\": \"$slug\"" "$examples/labels.jsonl") \
                <(grep -F "\"group\": \"$slug\"" "$EXAMPLES_OUT/labels.jsonl") || status=1
        fi
        echo "$framework: $slug" >&2
    done
done
if [ "$check" = no ]; then "$env/bin/python" "$here/write_table.py"; fi
exit "$status"

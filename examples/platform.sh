#!/usr/bin/env bash
# Drives an installation with curl and jq, from files to a synthetic database.
#
#     export KINSYNTH_SERVER=http://127.0.0.1:8642 KINSYNTH_TOKEN=...
#     examples/platform.sh FOLDER RESULTS [ORIGINAL_TABLE ...]
#
# FOLDER holds csv files; tables that are named are lookups without personal data and are delivered as they are:
# for the bank of Berka that is district.
set -euo pipefail
folder=$1 results=$2
shift 2
api=$KINSYNTH_SERVER/api/v1
mkdir -p "$results"

call() { # METHOD PATH [more arguments of curl]: the answer; an error ends the script with its code and message
  local method=$1 path=$2 answer
  shift 2
  answer=$(curl -sS -X "$method" -H "Authorization: Bearer $KINSYNTH_TOKEN" "$@" "$api$path")
  if jq -e 'type == "object" and has("code") and has("remedy")' <<<"$answer" >/dev/null; then
    jq -r '"\(.code): \(.message) \(.remedy)", (.findings[] | "  \(.where): \(.message)")' <<<"$answer" >&2
    exit 1
  fi
  printf '%s\n' "$answer"
}
post() { # PATH JSON [more arguments of curl]: what a key makes is made once, however often it is sent
  local path=$1 body=$2
  shift 2
  call POST "$path" -H "Content-Type: application/json" --data-binary @- "$@" <<<"$body"
}
make() { post "$1" "$2" -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)"; }

# Upload: a source, a version of it, its files; then the version is sealed.
name=$(basename "$folder")
source_id=$(make /sources "$(jq -n --arg name "$name" '{name: $name}')" | jq -r .id)
version=$(make "/sources/$source_id/versions" '{}' | jq -r .number)
for file in "$folder"/*.csv; do
  call PUT "/sources/$source_id/versions/$version/files/$(basename "$file")" --upload-file "$file" |
    jq -r '"\(.name): \(.size) bytes"'
done
call POST "/sources/$source_id/versions/$version/seal" | jq -r '"sealed \(.digest)"'

# Detect, and configure: the document says outright what was found.
document=$(post "/sources/$source_id/versions/$version/detection" '{}' | jq .document)
for table in "$@"; do
  document=$(jq --arg table "$table" '.tables[$table].original = true' <<<"$document")
done
# Tables that belong to nobody may be several; EPOCHS=2 is a quick try.
document=$(jq --argjson epochs "${EPOCHS:-100}" '.roots = "many" | .training.max_epochs = $epochs' <<<"$document")
synthesis=$(make /syntheses "$(jq -n --arg source "$source_id" --arg name "$name" --argjson document "$document" \
  '{source_id: $source, name: $name, document: $document}')" | jq -r .id)

# Check.
post "/syntheses/$synthesis/checks" '{}' |
  jq -r '(.findings[] | "\(.severity): \(.where): \(.message)"), "about \(.assessment.seconds // "?") s"'

# Execute, and follow the events to the end.
execution=$(make "/syntheses/$synthesis/executions" '{"seed": 7}' | jq -r .id)
curl -sSN -H "Authorization: Bearer $KINSYNTH_TOKEN" "$api/executions/$execution/stream" |
  sed -n 's/^data: //p' | jq -r --unbuffered '[.kind, .step, .message, .status] | map(strings) | join(" ")'
status=$(call GET "/executions/$execution" | jq -r .status)
if [ "$status" != succeeded ]; then
  call GET "/executions/$execution" | jq .error >&2
  exit 1
fi

# Download: the report at once; the tables in another format by a ticket that works once.
curl -sSf -H "Authorization: Bearer $KINSYNTH_TOKEN" -o "$results/report.pdf" "$api/executions/$execution/report"
download=$(post "/executions/$execution/downloads" '{"format": "parquet"}' | jq -r .id)
while [ "$(call GET "/downloads/$download" | jq -r .status)" = preparing ]; do
  sleep 1
done
ticket=$(post "/downloads/$download/ticket" '{}')
curl -sSf -o "$results/$(jq -r .file_name <<<"$ticket")" "$KINSYNTH_SERVER$(jq -r .path <<<"$ticket")"
ls -l "$results"

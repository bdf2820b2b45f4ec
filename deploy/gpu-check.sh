#!/usr/bin/env bash
# What a hospital runs before it joins: the trainer's own loop on whatever device is there. Options are those of 'fedseg bench step';
# FEDSEG names the program where it is not built in this repository. Prints steps a second, share of the device's peak, memory and how
# long steps wait for patches; with an NVIDIA driver also the device and the most GPU memory taken.
set -euo pipefail
fedseg=${FEDSEG:-$(cd "$(dirname "$0")/.." && pwd)/artifacts/bin/FedSeg.Cli/release/fedseg.dll}
[ -f "$fedseg" ] || { echo "There is no $fedseg: build FedSeg.sln (-p:TorchBackend=cuda for a GPU), or let FEDSEG name fedseg.dll." >&2; exit 2; }

if ! command -v nvidia-smi >/dev/null || ! nvidia-smi --list-gpus 2>/dev/null | grep -q .; then
  echo "No NVIDIA driver answers: this machine would train on its CPU."
  exec dotnet "$fedseg" bench step "$@"
fi

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
used() { nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }'; }
most=$(mktemp)
all=$(mktemp)
trap 'rm -f "$most" "$all"' EXIT
before=$(used)
dotnet "$fedseg" bench step "$@" & bench=$!
while kill -0 "$bench" 2>/dev/null; do
  nvidia-smi --query-compute-apps=pid,used_memory --format=csv,noheader,nounits 2>/dev/null | awk -F', *' -v pid="$bench" '$1 == pid { print $2 }' >>"$most" || true
  used >>"$all" || true
  sleep 0.5
done
status=0
wait "$bench" || status=$?
# In a container the driver knows the program by another number: then what all programs took since the start, which others can blur.
took=$(sort -n "$most" | tail -1)
if [ -n "$took" ]; then echo "most GPU memory: $took MiB"
else echo "most GPU memory: $(($(sort -n "$all" | tail -1 | grep . || echo "$before") - before)) MiB more than before, of all programs on it"
fi
exit "$status"

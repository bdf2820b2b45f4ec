#!/usr/bin/env bash
# Makes the tables of docs/results.md: all ways of training on the hippocampus hospitals in DIR, the long training of some of them, and all
# on phantom CT hospitals, which it writes itself. Hours on a CPU; started again, it goes on behind the last finished row.
#   deploy/results.sh DIR OUT [ROUNDS] [STEPS]
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# *//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
fedseg=${FEDSEG:-$here/../artifacts/bin/FedSeg.Cli/release/fedseg.dll}
[ -f "$fedseg" ] || { echo "There is no $fedseg: build FedSeg.sln, or let FEDSEG name fedseg.dll." >&2; exit 2; }
data=$1 out=$2 rounds=${3:-20} steps=${4:-5}

mkdir -p "$out"
[ -d "$out/phantom-ct" ] || dotnet "$fedseg" phantom --out "$out/phantom-ct" --modality CT --sites 4 --cases 12
dotnet "$fedseg" experiment --data "$data" --job "$here/experiments/hippocampus.yaml" --rounds "$rounds" --steps "$steps" --out "$out/hippocampus.md"
dotnet "$fedseg" experiment --data "$data" --job "$here/experiments/hippocampus-long.yaml" --rounds 20 --steps 40 --arms pooled,pooled2,fedavg,last5 --out "$out/hippocampus-long.md"
dotnet "$fedseg" experiment --data "$data" --job "$here/experiments/hippocampus-private.yaml" --rounds "$rounds" --steps "$steps" --arms fedavg,dp8,dp3 --out "$out/hippocampus-private.md"
dotnet "$fedseg" experiment --data "$out/phantom-ct" --job "$here/experiments/phantom-ct.yaml" --rounds "$rounds" --steps "$steps" --out "$out/phantom-ct.md"

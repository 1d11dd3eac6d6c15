#!/bin/bash
# A study on the machines of one Slurm job, by a Ray cluster that lives as long as the job:
#
#     sbatch --nodes=8 docs/slurm.sh studies/alpha_sweep.yaml [options of `repro run`]
#
# Set the limits below for your machines. Submit where .venv is (or set VENV to an environment that
# all machines see at that path); results must lie on a disk that outlives the job. Submitted again,
# or requeued, it goes on where it was.
#SBATCH --job-name=repro
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --hint=nomultithread
#SBATCH --mem=64G
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --no-kill
#SBATCH --open-mode=append
set -euo pipefail
: "${1:?usage: sbatch docs/slurm.sh STUDY [options of repro run]}"
source "${VENV:-.venv}/bin/activate"
ulimit -Sn "$(ulimit -Hn)" # a run at a time takes a file and a socket of this process

# This script runs on the job's first machine, and so do Ray's head and the process that writes.
export HEAD=${HEAD_ADDRESS:-$(hostname -I | cut -d' ' -f1)}
export PORT=$((20000 + SLURM_JOB_ID % 10000))
export OMP_NUM_THREADS=1 RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN

on_each_machine='
    set -eu
    folder=/tmp/ray-$SLURM_JOB_ID # on its own disk, and short: names of sockets are
    trap "rm -rf $folder" EXIT
    trap "kill \$(jobs -p) 2>/dev/null; wait; exit 143" TERM INT
    set -- --block --num-cpus="$SLURM_CPUS_PER_TASK" --temp-dir="$folder"
    if [ -n "${SLURM_MEM_PER_NODE:-}" ]; then # MB, of which Ray would not know
        set -- "$@" --memory=$((SLURM_MEM_PER_NODE * 600000))
        set -- "$@" --object-store-memory=$((SLURM_MEM_PER_NODE * 300000))
    fi
    if [ "$SLURM_NODEID" = 0 ]; then
        set -- "$@" --head --node-ip-address="$HEAD" --port="$PORT" --include-dashboard=false
    else
        until (exec 3<>"/dev/tcp/$HEAD/$PORT") 2>/dev/null; do sleep 1; done
        set -- "$@" --address="$HEAD:$PORT"
    fi
    ray start "$@" >/dev/null & # ends its processes when it ends
    wait $!'
srun --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    --overlap --no-kill --kill-on-bad-exit=0 bash -c "$on_each_machine" &
cluster=$!
end_ray() { # on all of them
    kill -TERM "$cluster" 2>/dev/null && wait "$cluster" || true
}
trap end_ray EXIT

machines() { # that have joined
    python - 2>/dev/null <<END || echo 0
import ray
ray.init(address="$HEAD:$PORT", log_to_driver=False)
print(sum(node["Alive"] for node in ray.nodes()))
END
}
patience=300 # seconds; then it begins with those that are there
until joined=$(machines) && ((joined >= SLURM_JOB_NUM_NODES || SECONDS > patience && joined)); do
    if ((SECONDS > patience)) || ! kill -0 "$cluster" 2>/dev/null; then
        echo "Ray has not started on $HEAD:$PORT" >&2
        exit 1
    fi
    sleep 2
done
echo "$joined of $SLURM_JOB_NUM_NODES machines, $SLURM_CPUS_PER_TASK cores each" >&2

repro run "$@" --executor ray --address "$HEAD:$PORT" &
driver=$!
out_of_time=no
trap 'out_of_time=yes; kill -TERM "$driver"' USR1 # the time limit is near
trap 'kill -TERM "$driver"' TERM INT
status=0
wait "$driver" || status=$?
while kill -0 "$driver" 2>/dev/null; do # a signal ended the waiting, not the study
    status=0
    wait "$driver" || status=$?
done
if [[ $out_of_time = yes && $status = 143 ]]; then
    end_ray # first, because this ends the job
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"

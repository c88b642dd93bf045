#!/usr/bin/env python3
"""The paper's relaxation (17) by general convex solvers, beside airloom's own.

    pip install cvxpy
    python3 benches/general_solvers.py

solves

    maximise t  subject to  P_n λ_min(H_nᴴ G H_n) ≥ t for all n,  tr G = 1,  G ⪰ 0

for random Rician channels H_n ∈ C^{20×4} (mean 1, variance 1, P_n = 1) by CVXPY with SCS
and, in the dual form that it manages, with Clarabel; then runs airloom's `relaxation`
benches on channels of the same kind in the same minutes and prints medians and ratios.
Every solver's value is compared with the others' before anything is printed.
"""

import json
import statistics
import subprocess
import time
from pathlib import Path

import cvxpy as cp
import numpy as np

SERVER, ANTENNAS, DRAWS = 20, 4, 5


def channels(devices, draw):
    random = np.random.default_rng(1000 * devices + draw)
    part = lambda: random.standard_normal((devices, SERVER, ANTENNAS)) / np.sqrt(2)
    return 1 + part() + 1j * part()


def primal(H):
    G = cp.Variable((SERVER, SERVER), hermitian=True)
    t = cp.Variable()
    floor = [h.conj().T @ G @ h - t * np.eye(ANTENNAS) >> 0 for h in H]
    return cp.Problem(cp.Maximize(t), [G >> 0, cp.real(cp.trace(G)) == 1, *floor])


def dual(H):
    W = [cp.Variable((ANTENNAS, ANTENNAS), hermitian=True) for _ in H]
    u = cp.Variable()
    load = sum(h @ w @ h.conj().T for h, w in zip(H, W))
    total = sum(cp.real(cp.trace(w)) for w in W)
    positive = [w >> 0 for w in W]
    ceiling = u * np.eye(SERVER) - load >> 0
    return cp.Problem(cp.Minimize(u), [ceiling, total == 1, *positive])


def timed(problem, solver):
    start = time.perf_counter()
    problem.solve(solver=solver)
    return problem.value, time.perf_counter() - start


def ours(devices):
    pattern = f"relaxation N_r=20 N_t=4/gap 1e-3/{devices}$"
    command = ["cargo", "bench", "--bench", "radio", "--", "--quick", pattern]
    subprocess.run(command, check=True, capture_output=True)
    folder = Path("target/criterion/relaxation N_r=20 N_t=4/gap 1e-3")
    estimates = json.loads((folder / str(devices) / "new/estimates.json").read_text())
    return estimates["median"]["point_estimate"] * 1e-9


def main():
    print("N  solver                       median    ratio")
    for devices in [2, 4, 8]:
        times = {"SCS": [], "Clarabel (dual)": []}
        for draw in range(DRAWS):
            H = channels(devices, draw)
            scs, seconds = timed(primal(H), cp.SCS)
            times["SCS"].append(seconds)
            clarabel, seconds = timed(dual(H), cp.CLARABEL)
            times["Clarabel (dual)"].append(seconds)
            assert abs(scs / clarabel - 1) < 1e-2, (scs, clarabel)
        own = ours(devices)
        rows = [("airloom, gap 1e-3", own)]
        rows += [(f"CVXPY + {name}", statistics.median(all)) for name, all in times.items()]
        for name, median in rows:
            print(f"{devices}  {name:26} {median * 1e3:8.3f} ms  {median / own:7.0f}")


if __name__ == "__main__":
    main()

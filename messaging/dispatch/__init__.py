"""Send what is due: claim, reveal, render, protect, hand over, mark.

The steps, and what a crash between them leaves behind (each is tested by crashing there):

1. `claimed`      nothing is known outside this process    -> the lease ends, it waits again
2. `composed`     the bytes exist in memory only           -> the same
3. `marked`       the row says handing_over, nothing sent  -> unknown; reconcile finds it nowhere
4. `handed_over`  the server has it, the row does not know -> unknown; reconcile finds it delivered
5. `noted`        everything is written                    -> nothing to do

Steps 3 and 4 look alike from inside, which is why `unknown` is never sent again by itself.
"""

from messaging.dispatch.facts import DISPATCH, Dispatched, Pause, Run, Step, no_pause
from messaging.dispatch.working import BATCH, FIRST, SLICE, TURN, run_once

__all__ = [
    "BATCH",
    "DISPATCH",
    "FIRST",
    "SLICE",
    "TURN",
    "Dispatched",
    "Pause",
    "Run",
    "Step",
    "no_pause",
    "run_once",
]

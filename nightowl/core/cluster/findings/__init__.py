"""What goes wrong in a cluster, found by itself: one module a detector, over a memory that outlives a restart.

``observe`` takes in what has become of tasks, ``judge`` looks at everything every few seconds and returns what is open.
Nothing here writes incidents: the leading director does, from the findings in the cluster's state.
"""

from nightowl.core.cluster.findings.detectors import DETECTORS, judge, observe
from nightowl.core.cluster.findings.memory import Memory, recalled, remembered

__all__ = ["DETECTORS", "Memory", "judge", "observe", "recalled", "remembered"]

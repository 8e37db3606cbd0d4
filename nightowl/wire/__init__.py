"""The composition root: the only place that knows every adapter by name.

A laptop and a fleet differ in values here, not in code: which broker, which store, which roles in which process.
Each module joins one part, so that a process loads no more than its roles need.
"""

"""Rules over many series at once: the answers of the core's functions, by numpy.

Where rounding could decide, and where a state changes, the core's own functions decide; so both always agree.
"""

"""Remote control of a cluster's workers, and its task results."""

"""Where locks and checkpoints are kept."""

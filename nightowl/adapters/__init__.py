"""One folder per outside world; they import inward only, and never one another."""

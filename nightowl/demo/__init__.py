"""What ``nightowl demo`` shows without a network: a sample shop with faults, and the inbox that notices go to."""

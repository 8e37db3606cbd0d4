"""What a cluster's broker tells of its queues and of itself."""

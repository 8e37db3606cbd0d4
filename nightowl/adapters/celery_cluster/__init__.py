"""What is read from a watched cluster: its events, its workers' answers, its queues."""

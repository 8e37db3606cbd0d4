"""The roles of a process, each as a loop that runs until it is told to stop."""

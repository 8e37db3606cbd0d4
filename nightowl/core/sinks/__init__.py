"""What sinks decide: what is sent, under which names, in which format and in which portions. All of it is pure."""

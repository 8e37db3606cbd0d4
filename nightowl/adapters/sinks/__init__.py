"""Where samples are sent: one module for each kind of sink."""

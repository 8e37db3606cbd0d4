"""Sources: where series are read from that NightOwl does not keep itself."""

"""Short modules that move values between ports."""

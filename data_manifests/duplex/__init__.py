"""The corpus `duplex`: who speaks when, and what a system should make of it."""

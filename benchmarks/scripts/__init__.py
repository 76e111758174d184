"""What a measurement runs in a process of its own; each prints one line of JSON."""

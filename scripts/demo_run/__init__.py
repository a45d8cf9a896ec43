"""What `scripts/demo` runs: three people with three nodes, by the commands that a person would type."""

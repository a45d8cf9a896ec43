"""How two replicas agree: pure, input to outputs."""

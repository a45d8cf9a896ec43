"""The benchmark of gonk-node: what `scripts/bench` runs. Each figure stands beside a raw baseline of the same run."""

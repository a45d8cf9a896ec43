"""The fold: what of the log must be learnt, and written into `state.db`, one transaction a batch."""

"""Questions about the State, and their answers in the terms that people use. Nothing is written here."""

"""How it came to be: the log, and what happened to one thing, for people. Nothing is signed here."""

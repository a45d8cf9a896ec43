"""What the log means: pure rules over events."""

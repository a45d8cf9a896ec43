"""What a signed entry is: pure rules over bytes."""

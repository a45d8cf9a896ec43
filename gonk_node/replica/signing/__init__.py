"""What a person may sign, checked before it is signed; and the signing, one by one or many at one time."""

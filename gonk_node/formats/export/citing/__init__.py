"""The files beside an export of a release by which it is cited and found."""

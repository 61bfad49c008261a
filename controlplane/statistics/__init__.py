"""Evidence that may be looked at as often as one likes, and trends. Pure; standard library only."""

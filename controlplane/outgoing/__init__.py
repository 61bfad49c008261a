"""OUT: what is sent and asked beyond this process; where it may go, and how it is signed."""

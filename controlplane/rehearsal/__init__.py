"""REHEARSE: what other plans and rules would have decided, of what was recorded. It only reads."""

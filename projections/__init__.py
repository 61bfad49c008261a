"""FOLD: what is true. State is a fold over events; it can be thrown away and computed again."""
